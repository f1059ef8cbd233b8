use tina4_service::service;

#[service(name = "2nd")]
fn heartbeat() {}

fn main() {}

// rule 156
