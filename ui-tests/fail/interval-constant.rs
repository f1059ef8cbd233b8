use tina4_service::service;

const EVERY: &str = "30s";

#[service(interval = EVERY)]
fn heartbeat() {}

fn main() {}

// rule 156
