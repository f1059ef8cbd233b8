use tina4_service::service;

#[service(cron = "0 8 * * MON-")]
fn report() {}

fn main() {}

// rule 160
