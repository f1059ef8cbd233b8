use tina4_service::service;

#[service(delay = "every 5s")]
fn heartbeat() {}

fn main() {}

// rule 156
