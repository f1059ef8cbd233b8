use tina4_service::service;

#[service(interval = "30S")]
fn heartbeat() {}

fn main() {}

// rule 156
