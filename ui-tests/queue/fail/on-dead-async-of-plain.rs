use tina4_service::{DeadJob, Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS, on_dead = report)]
fn words(_job: Job<String>) {}

async fn report(_dead: DeadJob) {}

fn main() {}
// rule 153
