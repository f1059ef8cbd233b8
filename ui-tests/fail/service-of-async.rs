use tina4_service::Service;

async fn import() {}

fn main() {
    let _ = Service::of("import", import);
}

// rules 90, 180
