use tina4_service::service;

#[service]
mod heartbeat {}

fn main() {}

// rule 150
