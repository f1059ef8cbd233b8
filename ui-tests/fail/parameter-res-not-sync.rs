use tina4_service::{Res, service};

use std::cell::Cell;

#[service]
fn heartbeat(_beats: Res<Cell<u32>>) {}

fn main() {}

// rule 151
