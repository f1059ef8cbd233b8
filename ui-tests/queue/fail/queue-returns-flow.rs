use tina4_service::{Flow, Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS)]
fn words(_job: Job<String>) -> Flow {
    Flow::Wait
}

fn main() {}
// rule 153
