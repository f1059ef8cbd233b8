use tina4_service::service;

#[service(keep_done = "1d")]
fn words() {}

fn main() {}
// rule 157
