use tina4_service::service;

#[service]
async fn heartbeat() {}

fn main() {}

// rule 150
