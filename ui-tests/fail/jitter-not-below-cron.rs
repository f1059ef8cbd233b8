use tina4_service::service;

#[service(cron = "*/5 * * * *", jitter = "10m")]
fn report() {}

fn main() {}

// rule 157
