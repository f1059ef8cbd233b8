use tina4_service::Service;

fn import(_files: u32) {}

fn main() {
    let _ = Service::of("import", import);
}

// rules 151, 180
