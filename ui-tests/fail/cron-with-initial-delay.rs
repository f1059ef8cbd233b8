use tina4_service::service;

#[service(cron = "0 8 * * *", initial_delay = "5s")]
fn report() {}

fn main() {}

// rule 157
