use tina4_service::{Tick, service};

#[service]
fn heartbeat(#[cfg(unix)] _tick: Tick) {}

fn main() {}

// rule 150
