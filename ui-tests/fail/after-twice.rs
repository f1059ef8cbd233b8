use tina4_service::service;

#[service]
fn migrations() {}

#[service(after = [migrations, "mail", migrations])]
fn heartbeat() {}

fn main() {}

// rule 158
