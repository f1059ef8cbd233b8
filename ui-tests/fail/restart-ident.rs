use tina4_service::service;

#[service(restart = never)]
fn heartbeat() {}

fn main() {}

// rule 156
