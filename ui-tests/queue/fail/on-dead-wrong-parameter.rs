use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, on_dead = report)]
fn words(_job: Job<String>) {}

fn report(_count: u32) {}

fn main() {}
// rule 151
