use tina4_service::service;

fn flush() -> u32 {
    7
}

#[service(on_stop = flush)]
fn heartbeat() {}

fn main() {}

// rule 153
