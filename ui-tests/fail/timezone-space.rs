use tina4_service::service;

#[service(cron = "0 8 * * *", timezone = "America/New York")]
fn report() {}

fn main() {}

// rule 166
