use std::rc::Rc;

use tina4_service::service;

#[service(on_stop = flush)]
fn heartbeat() {}

async fn flush() {
    let beats = Rc::new(1);
    std::future::ready(()).await;
    println!("{beats}");
}

fn main() {}

// rules 82, 150
