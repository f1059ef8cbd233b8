use tina4_service::Service;

async fn import() -> u32 {
    1
}

fn main() {
    let _ = Service::of("import", import);
}

// rules 82, 180
