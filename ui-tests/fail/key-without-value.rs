use tina4_service::service;

#[service(critical)]
fn heartbeat() {}

fn main() {}

// rule 156
