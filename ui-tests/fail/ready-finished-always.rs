use tina4_service::service;

#[service(restart = "always", ready = "finished")]
fn heartbeat() {}

fn main() {}

// rule 32
