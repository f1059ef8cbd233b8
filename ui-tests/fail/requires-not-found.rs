use tina4_service::service;

#[service(ready = "finished")]
fn migrations() {}

#[service(requires = [migration])]
fn heartbeat() {}

fn main() {}

// rule 158
