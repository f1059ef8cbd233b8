use tina4_service::service;

#[service(on_stop = |ctx| ctx.name())]
fn heartbeat() {}

fn main() {}

// rule 156
