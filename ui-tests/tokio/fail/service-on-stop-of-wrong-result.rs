use tina4_service::{Flow, Service};

async fn flush() -> Flow {
    Flow::Done
}

fn main() {
    let _ = Service::new("import", |_| {}).on_stop_of(flush);
}

// rules 82, 153
