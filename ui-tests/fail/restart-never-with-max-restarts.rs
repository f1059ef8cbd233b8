use tina4_service::service;

#[service(restart = "never", max_restarts = 5)]
fn heartbeat() {}

fn main() {}

// rule 157
