use tina4_service::{Tick, service};

#[service]
fn heartbeat(Tick { run: _run, .. }: Tick) {}

fn main() {}

// rule 150
