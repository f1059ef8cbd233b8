use tina4_service::service;

#[service(requires = ["data base"])]
fn heartbeat() {}

fn main() {}

// rule 158
