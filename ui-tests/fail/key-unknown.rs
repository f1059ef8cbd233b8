use tina4_service::service;

#[service(intervall = "30s")]
fn heartbeat() {}

fn main() {}

// rule 156
