use tina4_service::service;

#[service(interval = "30s", restart = "always")]
fn heartbeat() {}

fn main() {}

// rule 157
