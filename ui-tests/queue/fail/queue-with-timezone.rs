use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, timezone = "UTC")]
fn words(_job: Job<String>) {}

fn main() {}
// rule 157
