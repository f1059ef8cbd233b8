use tina4_service::service;

#[service(max_restarts = 1_000_000, restart_window = "1h")]
fn heartbeat() {}

fn main() {}

// rules 23, 157
