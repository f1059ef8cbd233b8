use tina4_service::{Local, service};

struct Beats;

#[service(interval = "1s")]
async fn heartbeat(_beats: Local<Beats>) {}

fn main() {}

// rules 82, 152
