use tina4_service::service;

#[service(cron = "0 1,,2 * * *")]
fn report() {}

fn main() {}

// rule 160
