use tina4_service::service;

#[service(timeout = "5s", on_timeout = "cancel", on_timeout = "report")]
fn heartbeat() {}

fn main() {}

// rule 156
