use tina4_service::service;

#[service(restart = "on_failure")]
fn heartbeat() {}

fn main() {}

// rule 156
