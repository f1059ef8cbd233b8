use tina4_service::service;

#[service(interval = "7h", anchor = "00:00")]
fn report() {}

fn main() {}

// rule 10
