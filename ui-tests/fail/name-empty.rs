use tina4_service::service;

#[service(name = "")]
fn heartbeat() {}

fn main() {}

// rule 156
