use tina4_service::service;

#[service]
const fn heartbeat() {}

fn main() {}

// rule 150
