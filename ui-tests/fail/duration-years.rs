use tina4_service::service;

#[service(interval = "1 year")]
fn heartbeat() {}

fn main() {}

// rule 156
