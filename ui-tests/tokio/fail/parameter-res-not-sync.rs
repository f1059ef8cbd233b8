use std::cell::Cell;

use tina4_service::{Res, service};

#[service(interval = "1s")]
async fn heartbeat(beats: Res<Cell<u32>>) {
    beats.set(1);
}

fn main() {}

// rules 82, 151
