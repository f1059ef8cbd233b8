use tina4_service::service;

#[service(ready = "finished")]
fn migrations() {}

#[service(requires = [migrations "mail"])]
fn heartbeat() {}

fn main() {}

// rule 158
