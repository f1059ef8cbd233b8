use tina4_service::service;

#[service(restart_window = "1m")]
fn heartbeat() {}

fn main() {}

// rule 157
