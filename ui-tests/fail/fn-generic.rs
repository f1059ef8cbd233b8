use tina4_service::service;

#[service]
fn heartbeat<T: Send>() {}

fn main() {}

// rule 150
