use tina4_service::{Job, service};

#[service(interval = "1s")]
fn words(_job: Job<String>) {}

fn main() {}
// rule 151
