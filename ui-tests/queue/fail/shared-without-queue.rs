use tina4_service::service;

#[service(shared = true)]
fn words() {}

fn main() {}
// rule 157
