use tina4_service::service;

#[service(max_restarts = 5, restart_window = "30s")]
fn heartbeat() {}

fn main() {}

// rules 23, 157
