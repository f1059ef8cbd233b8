use tina4_service::service;

#[service]
fn _heartbeat() {}

fn main() {}

// rule 156
