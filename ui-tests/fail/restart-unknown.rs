use tina4_service::service;

#[service(restart = "sometimes")]
fn heartbeat() {}

fn main() {}

// rule 156
