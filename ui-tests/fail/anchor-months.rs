use tina4_service::service;

#[service(interval = "1 month", anchor = "2026-01-31 09:00")]
fn report() {}

fn main() {}

// rule 10
