use tina4_service::service;

#[service]
trait Heartbeat {}

fn main() {}

// rule 150
