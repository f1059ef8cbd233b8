use tina4_service::service;

#[service(interval = 30)]
fn heartbeat() -> Result<(), String> {
    Ok(())
}

fn main() {
    // The function exists even if its attribute is wrong, so this causes no second error.
    let _: Result<(), String> = heartbeat();
}

// rules 82, 154
