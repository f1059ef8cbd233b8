use tina4_service::service;

#[service(max_restarts = 5_000_000_000)]
fn heartbeat() {}

fn main() {}

// rule 156
