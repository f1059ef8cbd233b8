use tina4_service::{Tick, service};

#[service]
fn heartbeat(_every: u32, _tick: Tick, _names: Vec<String>) {}

fn main() {}

// rule 151
