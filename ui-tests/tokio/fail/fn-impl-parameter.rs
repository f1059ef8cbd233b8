use tina4_service::service;

#[service(interval = "1s")]
async fn heartbeat(beats: impl Clone) {
    drop(beats.clone());
}

fn main() {}

// rules 82, 150
