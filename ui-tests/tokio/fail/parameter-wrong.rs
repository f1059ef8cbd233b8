use tina4_service::service;

#[service(interval = "1s")]
async fn heartbeat(beats: u32) {
    println!("{beats}");
}

fn main() {}

// rules 82, 151
