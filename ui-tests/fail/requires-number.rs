use tina4_service::service;

#[service(requires = [5])]
fn heartbeat() {}

fn main() {}

// rule 158
