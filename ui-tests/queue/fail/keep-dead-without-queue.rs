use tina4_service::service;

#[service(keep_dead = "1d")]
fn words() {}

fn main() {}
// rule 157
