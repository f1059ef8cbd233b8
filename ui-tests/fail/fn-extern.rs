use tina4_service::service;

#[service]
extern "C" fn heartbeat() {}

fn main() {}

// rule 150
