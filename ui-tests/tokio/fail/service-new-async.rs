use tina4_service::Service;

fn main() {
    let _ = Service::new("import", |_| async {});
}

// rules 82, 153
