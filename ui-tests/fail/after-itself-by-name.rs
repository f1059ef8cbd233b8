use tina4_service::service;

#[service(name = "beat", after = ["beat"])]
fn heartbeat() {}

fn main() {}

// rule 158
