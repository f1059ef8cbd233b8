use tina4_service::service;

#[service(interval = "30s", tags = ["mail", "slow", "mail"])]
fn send() {}

fn main() {}

// rule 156
