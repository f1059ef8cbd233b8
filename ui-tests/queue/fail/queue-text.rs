use tina4_service::{Job, service};

#[service(queue = "words")]
fn words(_job: Job<String>) {}

fn main() {}
// rule 156
