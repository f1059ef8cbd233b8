use tina4_service::service;

#[service(cron = "0 8 * * *", timezone = "Eurpe/Berlin")]
fn report() {}

fn main() {}

// rule 166
