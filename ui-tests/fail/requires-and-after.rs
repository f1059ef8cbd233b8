use tina4_service::service;

#[service(ready = "finished")]
fn migrations() {}

#[service(after = ["mail", migrations], requires = [migrations])]
fn heartbeat() {}

fn main() {}

// rule 158
