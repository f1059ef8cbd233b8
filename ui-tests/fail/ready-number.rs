use tina4_service::service;

#[service(ready = 1)]
fn heartbeat() {}

fn main() {}

// rule 156
