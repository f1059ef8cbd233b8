use tina4_service::service;

#[service(name = "heartbeat-heartbeat-heartbeat-heartbeat-heartbeat-heartbeat-heartbeat-")]
fn heartbeat() {}

fn main() {}

// rule 156
