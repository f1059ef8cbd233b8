use tina4_service::service;

#[service(colour = "red")]
fn heartbeat() {}

fn main() {}

// rule 156
