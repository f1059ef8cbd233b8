use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, on_dead = report())]
fn words(_job: Job<String>) {}

fn report(_dead: tina4_service::DeadJob) {}

fn main() {}
// rule 156
