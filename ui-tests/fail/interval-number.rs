use tina4_service::service;

#[service(interval = 30)]
fn heartbeat() {}

fn main() {}

// rule 156
