use tina4_service::{Res, service};

struct Db;

#[service]
fn heartbeat(_db: &Res<Db>) {}

fn main() {}

// rule 151
