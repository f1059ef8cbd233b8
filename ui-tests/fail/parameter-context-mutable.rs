use tina4_service::{Context, service};

#[service]
fn heartbeat(_ctx: &mut Context) {}

fn main() {}

// rule 151
