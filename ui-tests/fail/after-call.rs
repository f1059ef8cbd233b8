use tina4_service::service;

fn migrations() {}

#[service(after = [migrations()])]
fn heartbeat() {}

fn main() {}

// rule 158
