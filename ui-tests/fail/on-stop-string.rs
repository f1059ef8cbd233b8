use tina4_service::service;

fn flush() {}

#[service(on_stop = "flush")]
fn heartbeat() {}

fn main() {}

// rule 156
