use std::rc::Rc;

use tina4_service::service;

async fn count() -> Rc<u32> {
    Rc::new(1)
}

#[service(interval = "1s")]
async fn heartbeat() -> Result<(), String> {
    let beats = count().await;
    std::future::ready(()).await;
    if *beats == 0 { Err("no beats".to_owned()) } else { Ok(()) }
}

fn main() {}

// rules 82, 150
