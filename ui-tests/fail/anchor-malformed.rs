use tina4_service::service;

#[service(interval = "1d", anchor = "9 am")]
fn report() {}

fn main() {}

// rules 10, 82
