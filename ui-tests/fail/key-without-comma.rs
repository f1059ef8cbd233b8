use tina4_service::service;

#[service(interval = "30s" critical = true)]
fn heartbeat() {}

fn main() {}

// rule 156
