use tina4_service::service;

#[service(max_restarts = 5i64)]
fn heartbeat() {}

fn main() {}

// rule 156
