use tina4_service::service;

#[service(backoff = "2m")]
fn heartbeat() {}

fn main() {}

// rule 157
