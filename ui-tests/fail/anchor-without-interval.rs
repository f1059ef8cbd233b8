use tina4_service::service;

#[service(anchor = "09:00")]
fn report() {}

fn main() {}

// rule 157
