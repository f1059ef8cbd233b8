use tina4_service::service;

#[service(interval = "30s", tags = [mail])]
fn send() {}

fn main() {}

// rule 156
