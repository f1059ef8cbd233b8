use tina4_service::service;

#[service]
fn heartbeat(_name: impl Into<String>) {}

fn main() {}

// rule 150
