use tina4_service::service;

#[service(backoff = "10s", max_backoff = "5s")]
fn heartbeat() {}

fn main() {}

// rule 157
