use tina4_service::{Tick, service};

#[service]
fn heartbeat(
    _a: Tick,
    _b: Tick,
    _c: Tick,
    _d: Tick,
    _e: Tick,
    _f: Tick,
    _g: Tick,
    _h: Tick,
    _i: Tick,
) {
}

fn main() {}

// rule 151
