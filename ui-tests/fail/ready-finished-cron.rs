use tina4_service::service;

#[service(cron = "0 8 * * *", ready = "finished")]
fn heartbeat() {}

fn main() {}

// rule 32
