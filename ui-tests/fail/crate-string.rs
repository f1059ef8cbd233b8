use tina4_service::service;

#[service(crate = "tina4_service")]
fn heartbeat() {}

fn main() {}

// rule 159
