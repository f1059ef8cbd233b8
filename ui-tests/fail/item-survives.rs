use tina4_service::service;

#[service(interval = 30)]
fn heartbeat() -> Result<(), String> {
    Ok(())
}

fn main() {
    // The function exists whatever is wrong with its attribute, so this is no second error.
    let _: Result<(), String> = heartbeat();
}

// rules 82, 154
