use tina4_service::service;

#[service(cron = "0 8 * * *", anchor = "00:00")]
fn report() {}

fn main() {}

// rule 157
