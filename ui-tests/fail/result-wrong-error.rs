use tina4_service::service;

struct NoError;

#[service]
fn heartbeat() -> Result<(), NoError> {
    Err(NoError)
}

fn main() {}

// rule 153
