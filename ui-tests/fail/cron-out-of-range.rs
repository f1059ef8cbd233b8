use tina4_service::service;

#[service(cron = "60 * * * *")]
fn report() {}

fn main() {}

// rule 160
