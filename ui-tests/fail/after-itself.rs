use tina4_service::service;

#[service(after = [heartbeat])]
fn heartbeat() {}

fn main() {}

// rule 158
