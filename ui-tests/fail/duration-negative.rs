use tina4_service::service;

#[service(delay = "-5s")]
fn heartbeat() {}

fn main() {}

// rule 156
