use tina4_service::service;

#[service(cron = 8)]
fn report() {}

fn main() {}

// rule 156
