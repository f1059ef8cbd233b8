use tina4_service::service;

#[service(ready = "soon")]
fn heartbeat() {}

fn main() {}

// rule 156
