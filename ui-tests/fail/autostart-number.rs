use tina4_service::service;

#[service(autostart = 0)]
fn heartbeat() {}

fn main() {}

// rule 156
