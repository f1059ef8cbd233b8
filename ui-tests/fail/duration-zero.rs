use tina4_service::service;

#[service(interval = "0s")]
fn heartbeat() {}

fn main() {}

// rule 156
