use tina4_service::{Queue, service};

const WORDS: Queue<String> = Queue::new("words");

#[service(queue = WORDS)]
fn words() {}

fn main() {}
// rule 157
