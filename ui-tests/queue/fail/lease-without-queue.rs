use tina4_service::service;

#[service(lease = "1m")]
fn words() {}

fn main() {}
// rule 157
