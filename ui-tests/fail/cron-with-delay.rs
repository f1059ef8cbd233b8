use tina4_service::service;

#[service(cron = "0 8 * * *", delay = "1h")]
fn report() {}

fn main() {}

// rule 157
