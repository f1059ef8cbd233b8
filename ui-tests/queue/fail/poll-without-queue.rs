use tina4_service::service;

#[service(poll = "1s")]
fn words() {}

fn main() {}
// rule 157
