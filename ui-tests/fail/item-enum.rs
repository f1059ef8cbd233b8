use tina4_service::service;

#[service]
enum Heartbeat {
    Fast,
    Slow,
}

fn main() {}

// rule 150
