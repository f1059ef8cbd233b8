use tina4_service::service;

#[service(restart = "never", backoff = "5s", max_backoff = "10s")]
fn heartbeat() {}

fn main() {}

// rule 157
