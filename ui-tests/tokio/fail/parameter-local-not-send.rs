use std::rc::Rc;

use tina4_service::{Local, service};

#[service(interval = "1s")]
async fn heartbeat(_beats: Local<Rc<u32>>) {}

fn main() {}

// rules 82, 152
