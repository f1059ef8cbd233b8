use tina4_service::service;

#[service(interval = "30s", tags = 5)]
fn send() {}

fn main() {}

// rule 156
