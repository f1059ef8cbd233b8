use tina4_service::{Context, service};

#[service]
fn heartbeat<'a>(_ctx: &'a Context) {}

fn main() {}

// rule 150
