use tina4_service::service;

#[service(name = "heart beat")]
fn heartbeat() {}

fn main() {}

// rule 156
