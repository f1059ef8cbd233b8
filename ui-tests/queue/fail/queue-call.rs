use tina4_service::{Job, Queue, service};

#[service(queue = Queue::new("words"))]
fn words(_job: Job<String>) {}

fn main() {}
// rule 156
