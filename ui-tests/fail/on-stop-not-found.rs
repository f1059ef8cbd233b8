use tina4_service::service;

fn flush() {}

#[service(on_stop = flus)]
fn heartbeat() {}

fn main() {}

// rule 156
