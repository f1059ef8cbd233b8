use tina4_service::service;

#[service]
fn migrations() {}

#[service(after = [migrations, r#migrations])]
fn heartbeat() {}

fn main() {}

// rule 158
