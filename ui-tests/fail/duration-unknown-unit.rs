use tina4_service::service;

#[service(interval = "30 parsecs")]
fn heartbeat() {}

fn main() {}

// rule 156
