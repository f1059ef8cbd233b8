use tina4_service::service;

#[service(cron = "")]
fn report() {}

fn main() {}

// rule 160
