use tina4_service::service;

fn r#move() {}

#[service(on_stop = move)]
fn heartbeat() {}

fn main() {}

// rule 156
