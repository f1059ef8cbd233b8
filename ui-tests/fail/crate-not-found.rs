use tina4_service::service;

#[service(crate = facade::svc)]
fn heartbeat() {}

fn main() {}

// rule 159
