use std::rc::Rc;

use tina4_service::{Local, service};

#[service]
fn heartbeat(_cache: Local<Rc<u8>>) {}

fn main() {}

// rule 152
