use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS)]
async fn words(_job: Job<u32>) {}

fn main() {}
// rule 151
