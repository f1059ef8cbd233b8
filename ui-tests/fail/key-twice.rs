use tina4_service::service;

#[service(interval = "30s", critical = true, interval = "10s")]
fn heartbeat() {}

fn main() {}

// rule 156
