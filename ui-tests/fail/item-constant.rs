use tina4_service::service;

#[service]
const HEARTBEAT: u32 = 30;

fn main() {}

// rule 150
