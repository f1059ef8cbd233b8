use tina4_service::service;

#[service(after = [self::r#heartbeat])]
fn heartbeat() {}

fn main() {}

// rule 158
