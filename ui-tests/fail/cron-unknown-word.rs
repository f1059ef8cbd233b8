use tina4_service::service;

#[service(cron = "@dayly")]
fn report() {}

fn main() {}

// rule 160
