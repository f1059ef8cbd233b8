use tina4_service::service;

#[service(interval = "30s", on_timeout = "cancel")]
fn heartbeat() {}

fn main() {}

// rules 29, 157
