use tina4_service::service;

#[service(ready = "finished")]
fn migrations() {}

#[service(require = [migrations])]
fn heartbeat() {}

fn main() {}

// rule 156
