use tina4_service::{Service, Tick};

fn import(
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

fn main() {
    let _ = Service::of("import", import);
}

// rules 151, 180
