use tina4_service::service;

#[service(interval = "14d", anchor = "2026-02-29 09:00")]
fn report() {}

fn main() {}

// rule 10
