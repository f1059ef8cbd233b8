use tina4_service::service;

#[service(timeout = "5s", on_timeout = "cancle")]
fn heartbeat() {}

fn main() {}

// rule 156
