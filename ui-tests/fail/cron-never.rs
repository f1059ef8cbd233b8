use tina4_service::service;

#[service(cron = "0 0 30 2 *")]
fn report() {}

fn main() {}

// rule 165
