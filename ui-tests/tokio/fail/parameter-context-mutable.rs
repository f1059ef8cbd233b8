use tina4_service::{Context, service};

#[service(interval = "1s")]
async fn heartbeat(ctx: &mut Context) {
    ctx.stopped().await;
}

fn main() {}

// rules 82, 151
