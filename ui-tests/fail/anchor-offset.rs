use tina4_service::service;

#[service(interval = "14d", anchor = "2026-01-02 09:00Z")]
fn report() {}

fn main() {}

// rule 10
