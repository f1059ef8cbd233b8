use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, anchor = "00:00")]
fn words(_job: Job<String>) {}

fn main() {}
// rule 157
