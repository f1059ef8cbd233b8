use tina4_service::service;

#[service(cron = "0 0 8 * * * 2026")]
fn report() {}

fn main() {}

// rule 160
