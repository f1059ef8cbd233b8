use tina4_service::service;

#[service(after = [5])]
fn heartbeat() {}

fn main() {}

// rule 158
