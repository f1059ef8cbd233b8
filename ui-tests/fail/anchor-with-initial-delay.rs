use tina4_service::service;

#[service(interval = "1h", anchor = "00:00", initial_delay = "5s")]
fn report() {}

fn main() {}

// rule 157
