use tina4_service::service;

#[service(on_stop = flush)]
async fn heartbeat() {}

async fn flush(beats: u32) {
    println!("{beats}");
}

fn main() {}

// rules 82, 151
