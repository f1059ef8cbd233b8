use tina4_service::service;

#[service(after = ["my mail"])]
fn heartbeat() {}

fn main() {}

// rule 158
