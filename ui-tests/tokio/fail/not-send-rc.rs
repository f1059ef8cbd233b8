use std::rc::Rc;
use std::time::Duration;

use tina4_service::service;

#[service(interval = "1s")]
async fn heartbeat() {
    let beats = Rc::new(1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("{beats}");
}

fn main() {}

// rules 82, 150
