use tina4_service::service;

#[service(interval = "30s", delay = "5s")]
fn heartbeat() {}

fn main() {}

// rule 157
