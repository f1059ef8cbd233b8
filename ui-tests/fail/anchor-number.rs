use tina4_service::service;

#[service(interval = "1d", anchor = 9)]
fn report() {}

fn main() {}

// rule 156
