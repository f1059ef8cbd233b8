use std::rc::Rc;

use tina4_service::Service;

async fn import() {
    let pages = Rc::new(1);
    std::future::ready(()).await;
    println!("{pages}");
}

fn main() {
    let _ = Service::of("import", import);
}

// rules 82, 180
