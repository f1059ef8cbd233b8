use tina4_service::Service;

fn import() -> u32 {
    7
}

fn main() {
    let _ = Service::of("import", import);
}

// rules 153, 180
