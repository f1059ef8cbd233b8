use tina4_service::{Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS)]
fn words(_job: Job<String>, _dead: tina4_service::DeadJob) {}

fn main() {}
// rule 151
