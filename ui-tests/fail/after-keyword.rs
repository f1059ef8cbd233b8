use tina4_service::service;

#[service]
fn r#type() {}

#[service(after = [self::type])]
fn heartbeat() {}

fn main() {}

// rule 158
