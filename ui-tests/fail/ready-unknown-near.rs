use tina4_service::service;

#[service(ready = "finish")]
fn heartbeat() {}

fn main() {}

// rule 156
