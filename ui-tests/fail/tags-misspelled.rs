use tina4_service::service;

#[service(interval = "30s", tag = ["mail"])]
fn send() {}

fn main() {}

// rule 156
