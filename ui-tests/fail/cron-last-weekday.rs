use tina4_service::service;

#[service(cron = "0 8 * * L")]
fn report() {}

fn main() {}

// rule 162
