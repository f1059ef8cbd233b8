use tina4_service::service;

#[service(name = beat)]
fn heartbeat() {}

fn main() {}

// rule 156
