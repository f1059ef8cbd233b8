use tina4_service::{Local, Service};

struct Beats;

fn heartbeat(_beats: Local<Beats>) {}

fn main() {
    let _ = Service::of("heartbeat", heartbeat);
}

// rules 152, 180
