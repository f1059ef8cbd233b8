use std::sync::Mutex;
use std::time::Duration;

use tina4_service::{Res, service};

#[service(interval = "1s")]
async fn heartbeat(beats: Res<Mutex<u32>>) {
    let mut beats = beats.lock().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    *beats += 1;
}

fn main() {}

// rules 82, 150
