use tina4_service::Service;

fn main() {
    let _ = Service::of("import", async {});
}

// rules 82, 180
