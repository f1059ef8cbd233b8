use tina4_service::{Local, service};

struct Beats;

#[service]
fn heartbeat(_beats: Local<Beats>) {}

fn main() {}

// rule 152
