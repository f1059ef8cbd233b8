use tina4_service::service;

#[service]
fn heartbeat() -> Option<()> {
    None
}

fn main() {}

// rule 153
