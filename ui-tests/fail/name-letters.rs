use tina4_service::service;

#[service(name = "täglich")]
fn heartbeat() {}

fn main() {}

// rule 156
