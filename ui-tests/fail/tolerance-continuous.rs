use tina4_service::service;

#[service(tolerance = "1s")]
fn heartbeat() {}

fn main() {}

// rule 157
