use tina4_service::service;

#[service(tolerance = "1m", delay = "5s")]
fn heartbeat() {}

fn main() {}

// rule 157
