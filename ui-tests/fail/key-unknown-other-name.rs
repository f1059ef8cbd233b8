use tina4_service::service;

#[service(every = "30s")]
fn heartbeat() {}

fn main() {}

// rule 156
