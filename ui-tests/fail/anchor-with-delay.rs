use tina4_service::service;

#[service(delay = "1h", anchor = "00:00")]
fn report() {}

fn main() {}

// rule 157
