use tina4_service::service;

#[service(interval = "")]
fn heartbeat() {}

fn main() {}

// rule 156
