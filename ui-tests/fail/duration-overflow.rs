use tina4_service::service;

#[service(timeout = "99999999999999999999h")]
fn heartbeat() {}

fn main() {}

// rule 156
