use tina4_service::service;

#[service(autostart = , critical = true)]
fn heartbeat() {}

fn main() {}

// rule 156
