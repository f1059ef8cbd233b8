use tina4_service::service;

#[service(initial_delay = "10us")]
fn heartbeat() {}

fn main() {}

// rule 156
