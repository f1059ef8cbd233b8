use tina4_service::{Flow, Job, Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS)]
async fn words(_job: Job<String>) -> Result<Flow, String> {
    Ok(Flow::Wait)
}

fn main() {}
// rule 153
