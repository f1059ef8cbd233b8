use tina4_service::{DeadJob, service};

#[service(on_dead = report)]
fn words() {}

fn report(_dead: DeadJob) {}

fn main() {}
// rule 157
