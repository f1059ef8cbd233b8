use tina4_service::service;

#[service(after = [heartbeat, 5, "my mail", "x" "y", "x"])]
fn heartbeat() {}

fn main() {}

// rules 82, 158
