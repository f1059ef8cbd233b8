use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, concurrency = 2)]
fn words(_job: Job<String>, _count: tina4_service::Local<u32>) {}

fn main() {}
// rule 157
