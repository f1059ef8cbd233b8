use tina4_service::service;

#[service]
unsafe extern "C" fn heartbeat(_: ...) {}

fn main() {}

// rule 150
