use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS)]
fn words(_first: Job<String>, _second: tina4_service::Job<String>) {}

fn main() {}
// rule 151
