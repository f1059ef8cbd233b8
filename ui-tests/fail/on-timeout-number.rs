use tina4_service::service;

#[service(timeout = "5s", on_timeout = 5)]
fn heartbeat() {}

fn main() {}

// rule 156
