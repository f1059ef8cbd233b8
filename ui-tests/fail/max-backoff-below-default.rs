use tina4_service::service;

#[service(max_backoff = "100ms")]
fn heartbeat() {}

fn main() {}

// rule 157
