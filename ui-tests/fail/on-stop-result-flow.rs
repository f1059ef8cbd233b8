use tina4_service::{Flow, service};

fn flush() -> Flow {
    Flow::Wait
}

#[service(on_stop = flush)]
fn heartbeat() {}

fn main() {}

// rule 153
