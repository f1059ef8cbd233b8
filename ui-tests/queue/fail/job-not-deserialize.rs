use tina4_service::{Job, Queue, service};

struct Email;

const EMAILS: Queue<Email> = Queue::new("emails");

#[service(queue = EMAILS)]
fn send(_job: Job<Email>) {}

fn main() {}
// rule 151
