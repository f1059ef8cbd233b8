use tina4_service::service;

#[service(interval = concat!("30", "s"))]
fn heartbeat() {}

fn main() {}

// rule 156
