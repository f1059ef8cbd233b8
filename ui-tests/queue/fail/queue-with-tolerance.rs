use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, tolerance = "1ms")]
fn words(_job: Job<String>) {}

fn main() {}
// rule 157
