//! Every kind of async function that a service accepts.
#![deny(warnings, clippy::pedantic)]

use std::sync::Mutex;
use std::time::Duration;

use tina4_service::{Context, Flow, Local, Res, Service, Tick, service};

#[service(interval = "1s")]
async fn nothing() {}

#[service]
async fn never() -> ! {
    std::future::pending().await
}

#[service(delay = "1s", on_stop = close)]
async fn everything(
    ctx: &Context,
    tick: Tick,
    mut runs: Local<u64>,
    shared: Res<Mutex<u64>>,
    absent: Option<Res<String>>,
) -> Result<Flow, std::io::Error> {
    *runs += tick.run;
    if !ctx.sleep_async(Duration::from_secs(1)).await {
        return Ok(Flow::Done);
    }
    *shared.lock().unwrap() += *runs;
    ctx.stopped().await;
    drop(absent);
    Ok(Flow::Wait)
}

async fn close(ctx: &Context, runs: Local<u64>) -> Result<(), String> {
    std::future::ready(()).await;
    Err(format!("{} {}", ctx.name(), *runs))
}

#[deprecated]
#[service(interval = "1s", on_stop = plain)]
pub async fn old(_: &Context) -> Flow {
    Flow::Wait
}

fn plain() {}

fn main() {
    let _ = Service::of("everything", everything).on_stop_of(close);
    let _ = Service::of("nothing", nothing).on_stop_of(plain);
    let _ = Service::of("never", never);
    let _ = Service::of("closure", |tick: Tick| async move { println!("{}", tick.run) });
    drop(nothing());
}

// rules 80, 150, 151, 153, 180
