use tina4_service::service;

#[service(jitter = "1s")]
fn heartbeat() {}

fn main() {}

// rule 157
