use tina4_service::{Flow, service};

#[service(on_stop = flush)]
async fn heartbeat() {}

async fn flush() -> Flow {
    Flow::Done
}

fn main() {}

// rules 82, 153
