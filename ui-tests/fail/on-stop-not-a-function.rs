use tina4_service::service;

const FLUSH: u32 = 7;

#[service(on_stop = FLUSH)]
fn heartbeat() {}

fn main() {}

// rule 156
