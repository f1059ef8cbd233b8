use tina4_service::service;

struct Failed;

#[service(interval = "1s")]
async fn heartbeat() -> Result<(), Failed> {
    Ok(())
}

fn main() {}

// rules 82, 153
