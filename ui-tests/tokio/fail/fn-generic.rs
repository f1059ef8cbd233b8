use tina4_service::service;

#[service(interval = "1s")]
async fn heartbeat<T>() {}

fn main() {}

// rules 82, 150
