use tina4_service::{Job, Queue, service};

const BAD: Queue<String> = Queue::new("two words");

#[service(queue = BAD)]
fn words(_job: Job<String>) {}

fn main() {}
// rule 156
