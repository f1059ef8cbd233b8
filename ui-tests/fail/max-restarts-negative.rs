use tina4_service::service;

#[service(max_restarts = -1)]
fn heartbeat() {}

fn main() {}

// rule 156
