use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(
    queue = WORDS,
    interval = "1s",
    restart = "never",
    attempts = 0,
    concurrency = 2000,
    lease = "1ms",
)]
fn words(_first: Job<String>, _second: Job<String>) {}

fn main() {}
// rule 82
