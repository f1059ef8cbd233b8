use tina4_service::{Tick, service};

#[service(interval = "1s")]
async fn heartbeat(
    _1: Tick,
    _2: Tick,
    _3: Tick,
    _4: Tick,
    _5: Tick,
    _6: Tick,
    _7: Tick,
    _8: Tick,
    _9: Tick,
) {
}

fn main() {}

// rules 82, 151
