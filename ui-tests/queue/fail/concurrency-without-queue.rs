use tina4_service::service;

#[service(concurrency = 2)]
fn words() {}

fn main() {}
// rule 157
