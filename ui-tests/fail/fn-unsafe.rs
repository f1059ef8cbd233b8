use tina4_service::service;

#[service]
unsafe fn heartbeat() {}

fn main() {}

// rule 150
