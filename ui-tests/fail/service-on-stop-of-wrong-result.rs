use tina4_service::{Flow, Service};

fn flush() -> Flow {
    Flow::Done
}

fn main() {
    let _ = Service::new("heartbeat", |_| {}).on_stop_of(flush);
}

// rules 153, 180
