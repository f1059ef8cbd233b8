use tina4_service::service;

#[service]
async fn heartbeat() {}

fn main() {}

// rules 90, 150
