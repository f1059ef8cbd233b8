use tina4_service::service;

#[service]
fn migrations() {}

#[service(after = [migration])]
fn heartbeat() {}

fn main() {}

// rule 158
