use tina4_service::Service;

fn main() {
    let _ = Service::of("import", "import");
}

// rules 151, 180
