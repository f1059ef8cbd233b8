use tina4_service::service;

#[service(interval = "1s")]
async fn heartbeat() -> u32 {
    1
}

fn main() {}

// rules 82, 153
