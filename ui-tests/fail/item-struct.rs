use tina4_service::service;

#[service]
struct Heartbeat;

fn main() {}

// rule 150
