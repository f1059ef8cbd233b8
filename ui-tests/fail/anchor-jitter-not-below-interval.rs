use tina4_service::service;

#[service(interval = "1h", anchor = "00:00", jitter = "1h")]
fn report() {}

fn main() {}

// rule 157
