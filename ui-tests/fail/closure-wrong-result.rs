use tina4_service::Service;

fn main() {
    let _ = Service::new("heartbeat", |_| 30);
}

// rule 153
