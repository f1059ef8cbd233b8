use tina4_service::{Context, service};

#[service(interval = "1s")]
async fn heartbeat<'a>(ctx: &'a Context) {
    ctx.stopped().await;
}

fn main() {}

// rules 82, 150
