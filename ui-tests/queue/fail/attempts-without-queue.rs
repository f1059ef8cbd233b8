use tina4_service::service;

#[service(attempts = 5)]
fn words() {}

fn main() {}
// rule 157
