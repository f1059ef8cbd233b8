use tina4_service::service;

#[service(interval = "30s", tolerance = "30s")]
fn heartbeat() {}

fn main() {}

// rule 157
