use tina4_service::{Context, service};

#[service]
fn heartbeat(ctx: &Context) {
    ctx.on_stop(|| 30);
}

fn main() {}

// rule 153
