use tina4_service::service;

#[service(requires = [heartbeat])]
fn heartbeat() {}

fn main() {}

// rule 158
