use tina4_service::service;

#[service]
fn heartbeat() -> u32 {
    30
}

fn main() {}

// rule 153
