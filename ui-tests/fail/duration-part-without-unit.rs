use tina4_service::service;

#[service(interval = "1h 30")]
fn heartbeat() {}

fn main() {}

// rule 156
