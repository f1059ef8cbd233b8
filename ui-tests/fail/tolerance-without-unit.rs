use tina4_service::service;

#[service(interval = "1s", tolerance = "5")]
fn heartbeat() {}

fn main() {}

// rule 156
