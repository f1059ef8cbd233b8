use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, shared = "true")]
fn words(_job: Job<String>) {}

fn main() {}
// rule 156
