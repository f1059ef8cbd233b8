use tina4_service::service;

#[service(interval = "1h", timezone = "Europe/Berlin")]
fn report() {}

fn main() {}

// rule 157
