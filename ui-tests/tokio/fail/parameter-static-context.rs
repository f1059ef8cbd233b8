use tina4_service::{Context, service};

#[service(interval = "1s")]
async fn heartbeat(ctx: &'static Context) {
    ctx.stopped().await;
}

fn main() {}

// rules 82, 151
