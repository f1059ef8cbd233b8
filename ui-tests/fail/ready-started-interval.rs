use tina4_service::service;

#[service(interval = "30s", ready = "started")]
fn heartbeat() {}

fn main() {}

// rule 32
