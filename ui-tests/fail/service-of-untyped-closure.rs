use tina4_service::Service;

fn main() {
    let _ = Service::of("heartbeat", |_| {});
}

// rules 151, 180
