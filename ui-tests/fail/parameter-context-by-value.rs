use tina4_service::{Context, service};

#[service]
fn heartbeat(_ctx: Context) {}

fn main() {}

// rule 151
