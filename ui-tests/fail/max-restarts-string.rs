use tina4_service::service;

#[service(max_restarts = "5")]
fn heartbeat() {}

fn main() {}

// rule 156
