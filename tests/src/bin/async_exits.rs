//! Ends with async services; its argument selects how: see `tests/process/async_exit.rs`.

use std::time::Duration;

use tina4_service::{Context, ControlError, Ready, Service};
use tokio::runtime::{Builder, Runtime};

/// Ends the process.
#[expect(clippy::disallowed_methods, reason = "this program is about its end")]
fn exit() -> ! {
    std::process::exit(3)
}

fn plain_hook(ctx: &Context) {
    eprintln!("hook: {}, plain", ctx.name());
}

async fn async_hook(ctx: &Context) {
    tokio::task::yield_now().await;
    eprintln!("hook: {}, async", ctx.name());
}

async fn waits(ctx: &Context) {
    let name = ctx.name().to_owned();
    ctx.on_stop(move || eprintln!("hook: {name}, registered"));
    ctx.ready();
    ctx.stopped().await;
}

async fn exits(ctx: &Context) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    waits_for_all(ctx).await;
    exit();
}

/// Waits until the others have registered their hooks.
async fn waits_for_all(ctx: &Context) {
    let runner = ctx.runner().expect("it has one");
    for name in ["async", "base"] {
        runner.wait_ready_async(name).await.expect("it becomes ready");
    }
}

async fn quick() {}

/// Its hook is in progress when it becomes known that nothing polls the tasks.
async fn slow_hook(ctx: &Context) {
    ctx.on_stop(|| {
        // Returns early only if somebody unparks this thread, which nobody does.
        std::thread::park_timeout(Duration::from_millis(300));
        eprintln!("hook: slow, registered");
    });
    ctx.ready();
}

/// Services with every combination of functions and hooks. The one that others depend on stops last.
fn register() {
    for service in [
        Service::of("base", waits).ready(Ready::Notified).on_stop(plain_hook),
        Service::of("async", waits).ready(Ready::Notified).on_stop_of(async_hook).after("base"),
        Service::of("idle", quick).interval("1h").on_stop_of(async_hook).after("base"),
        Service::new("plain", |_| {}).interval("1h").on_stop_of(async_hook),
        Service::new("thread", |ctx: &Context| while ctx.sleep(Duration::MAX) {})
            .on_stop(plain_hook),
    ] {
        tina4_service::register(service).expect("it is valid");
    }
}

async fn start() {
    register();
    tina4_service::start_all().expect("it starts");
    for name in ["async", "base", "plain", "idle"] {
        tina4_service::wait_ready_async(name).await.expect("it becomes ready");
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn multi_thread(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime")
}

fn main() {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match scenario.as_str() {
        "main" => current_thread().block_on(async {
            start().await;
            exit();
        }),
        "not-driven" => {
            let runtime = current_thread();
            runtime.block_on(start());
            exit();
        }
        "task" => current_thread().block_on(exiting_service()),
        "only-worker" => multi_thread(1).block_on(exiting_service()),
        "workers" => multi_thread(2).block_on(async {
            start().await;
            exit();
        }),
        "other-thread" => current_thread().block_on(async {
            start().await;
            tests::spawn(|| exit());
            std::future::pending::<()>().await;
        }),
        "slow-hook" => current_thread().block_on(async {
            let service = Service::of("slow", slow_hook).interval("1h").on_stop_of(async_hook);
            tina4_service::register(service).expect("it is valid");
            tina4_service::start_all().expect("it starts");
            tina4_service::wait_ready_async("slow").await.expect("it becomes ready");
            exit();
        }),
        "refused" => current_thread().block_on(refused()),
        other => panic!("unknown argument `{other}`"),
    }
}

/// An async service ends the process.
async fn exiting_service() {
    register();
    tina4_service::register(Service::of("exits", exits).on_stop(plain_hook)).expect("it is valid");
    tina4_service::start_all().expect("it starts");
    std::future::pending::<()>().await;
}

/// Asks for a call that is refused, with a panic hook that was installed after the runner's own.
#[expect(clippy::disallowed_methods, reason = "the hook of a program")]
async fn refused() {
    start().await;
    let refused = || {
        let refused = tina4_service::stop("async").expect_err("it would wait forever");
        assert!(matches!(refused, ControlError::BlocksRuntime { .. }), "{refused}");
    };
    refused();
    std::panic::set_hook(Box::new(|info| println!("seen by the hook: {info}")));
    refused();
    assert!(tina4_service::stop_all_async().await.is_clean());
    println!("ends");
}
