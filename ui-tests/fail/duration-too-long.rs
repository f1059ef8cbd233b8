use tina4_service::service;

#[service(stop_timeout = "367d")]
fn heartbeat() {}

fn main() {}

// rule 156
