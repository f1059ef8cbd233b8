use tina4_service::service;

#[service(critical = "true")]
fn heartbeat() {}

fn main() {}

// rule 156
