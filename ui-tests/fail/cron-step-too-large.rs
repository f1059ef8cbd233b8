use tina4_service::service;

#[service(cron = "*/90 * * * *")]
fn report() {}

fn main() {}

// rule 160
