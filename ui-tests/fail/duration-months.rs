use tina4_service::service;

#[service(interval = "5M")]
fn heartbeat() {}

fn main() {}

// rule 156
