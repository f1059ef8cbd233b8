use tina4_service::service;

#[service(ready = "started", ready = "notified")]
fn heartbeat() {}

fn main() {}

// rule 156
