use tina4_service::{Flow, Service};

fn main() {
    let _ = Service::new("heartbeat", |_| {}).on_stop(|_| Flow::Done);
}

// rule 153
