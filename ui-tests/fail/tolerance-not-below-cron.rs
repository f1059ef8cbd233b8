use tina4_service::service;

#[service(cron = "*/5 * * * *", tolerance = "10m")]
fn report() {}

fn main() {}

// rule 157
