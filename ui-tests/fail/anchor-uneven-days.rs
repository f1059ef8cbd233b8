use tina4_service::service;

#[service(interval = "36h", anchor = "2026-01-02 09:00")]
fn report() {}

fn main() {}

// rule 10
