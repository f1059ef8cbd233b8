use tina4_service::service;

#[service]
fn heartbeat() -> Result<u32, String> {
    Ok(30)
}

fn main() {}

// rule 153
