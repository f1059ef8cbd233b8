use tina4_service::service;

#[service(cron = "0 8 * * *", timezone = "UTC+2")]
fn report() {}

fn main() {}

// rule 166
