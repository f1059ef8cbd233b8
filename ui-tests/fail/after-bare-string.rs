use tina4_service::service;

#[service(after = "migrations")]
fn heartbeat() {}

fn main() {}

// rule 158
