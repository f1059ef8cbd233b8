use tina4_service::service;

#[service(queu = WORDS)]
fn words() {}

fn main() {}
// rule 156
