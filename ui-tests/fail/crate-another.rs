use tina4_service::service;

#[service(interval = "30s", crate = std)]
fn heartbeat(_ctx: &tina4_service::Context) {}

fn main() {}

// rule 159
