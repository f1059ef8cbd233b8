use tina4_service::service;

#[service(interval = "30s", tags = ["2nd"])]
fn send() {}

fn main() {}

// rule 156
