use tina4_service::service;

#[service(interval = "1d", anchor = "24:00")]
fn report() {}

fn main() {}

// rule 10
