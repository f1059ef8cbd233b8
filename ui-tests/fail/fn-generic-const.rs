use tina4_service::service;

#[service]
fn heartbeat<const N: usize>() {}

fn main() {}

// rule 150
