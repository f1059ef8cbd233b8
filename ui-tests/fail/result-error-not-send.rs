use tina4_service::service;

use std::error::Error;

#[service]
fn heartbeat() -> Result<(), Box<dyn Error>> {
    Ok(())
}

fn main() {}

// rule 153
