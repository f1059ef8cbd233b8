use tina4_service::service;

#[service(interval = b"30s")]
fn heartbeat() {}

fn main() {}

// rule 156
