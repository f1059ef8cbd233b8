use tina4_service::Service;

async fn import(pages: u32) {
    println!("{pages}");
}

fn main() {
    let _ = Service::of("import", import);
}

// rules 82, 180
