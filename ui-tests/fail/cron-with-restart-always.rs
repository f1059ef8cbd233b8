use tina4_service::service;

#[service(cron = "0 8 * * *", restart = "always")]
fn report() {}

fn main() {}

// rule 157
