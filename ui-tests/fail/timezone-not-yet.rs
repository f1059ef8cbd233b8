use tina4_service::service;

#[service(interval = "1h", timezone = "UTC")]
fn heartbeat() {}

fn main() {}
