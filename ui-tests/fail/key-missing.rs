use tina4_service::service;

#[service("30s")]
fn heartbeat() {}

fn main() {}

// rule 156
