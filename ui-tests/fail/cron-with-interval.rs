use tina4_service::service;

#[service(interval = "1h", cron = "0 8 * * *")]
fn report() {}

fn main() {}

// rule 157
