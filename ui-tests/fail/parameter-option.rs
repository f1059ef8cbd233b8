use tina4_service::service;

struct Db;

#[service]
fn heartbeat(_db: Option<Db>) {}

fn main() {}

// rule 151
