//! Ends without `stop_all`; its arguments select how: see `tests/process/exit.rs`.
//!
//! Hooks print to standard error, because another thread may hold the lock of standard output
//! forever.

use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use tina4_service::{Change, Context, Service};

/// Ends the process.
#[expect(clippy::disallowed_methods, reason = "this program is about its end")]
fn exit() -> ! {
    std::process::exit(3)
}

/// Blocks forever.
fn park() -> ! {
    loop {
        let (_sender, nothing) = bounded::<()>(0);
        let _ = nothing.recv_timeout(Duration::from_secs(3_600));
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("tracing") {
        tracing_subscriber::fmt().init();
    }
    let (go, gate) = bounded::<()>(0);
    declare(&has, gate);
    let events = tina4_service::subscribe();
    tina4_service::start_all().expect("it starts");
    let mut missing = tina4_service::status().values().filter(|state| state.is_active()).count();
    while missing > 0 {
        let event = events.recv().expect("the runner exists");
        missing -= usize::from(matches!(event.change, Change::RunBegan { run: 1, .. }));
    }
    if has("hold-stdout") {
        hold_stdout();
    }
    println_if(!has("hold-stdout"), "ends");
    end(&has, go)
}

fn println_if(condition: bool, text: &str) {
    if condition {
        println!("{text}");
    }
}

/// Starts a thread that takes the lock of standard output and keeps it.
fn hold_stdout() {
    let (ready_sender, ready) = bounded::<()>(0);
    tests::spawn(move || {
        let _lock = std::io::stdout().lock();
        ready_sender.send(()).expect("the receiver waits");
        park();
    });
    ready.recv().expect("the lock is held");
}

fn declare(has: &impl Fn(&str) -> bool, gate: Receiver<()>) {
    let idle = |ctx: &Context| ctx.on_stop(|| eprintln!("hook: idle, inner"));
    let idle = Service::new("idle", idle).interval("1h");
    tina4_service::register(idle.on_stop(|_| eprintln!("hook: idle"))).unwrap();
    // Without a hook, so that the thread that ends the process can stop it without a worker.
    tina4_service::register(Service::new("plain", |_| {}).interval("1h")).unwrap();
    let blocked = |ctx: &Context| while ctx.sleep(Duration::from_secs(3_600)) {};
    let hook = |ctx: &Context| eprintln!("hook: {}", ctx.name());
    tina4_service::register(Service::new("blocked", blocked).on_stop(hook)).unwrap();
    if has("service") {
        let body = move |_: &Context| {
            let _ = gate.recv();
            exit();
        };
        tina4_service::register(Service::new::<(), _>("exits", body).on_stop(hook)).unwrap();
    } else if has("hook") {
        let body = |ctx: &Context| {
            ctx.on_stop(|| eprintln!("hook: exits, first"));
            ctx.on_stop(|| -> () { exit() });
            ctx.on_stop(|| eprintln!("hook: exits, last"));
        };
        tina4_service::register(Service::new("exits", body).interval("1h")).unwrap();
    }
    if has("twice") {
        // The end of the process asks it to stop, so it is the second to call `exit`.
        let body = move |ctx: &Context| {
            blocked(ctx);
            exit();
        };
        tina4_service::register(Service::new::<(), _>("second", body).on_stop(hook)).unwrap();
    }
    if has("hook-twice") {
        let body = |ctx: &Context| {
            ctx.on_stop(|| eprintln!("hook: second, first"));
            ctx.on_stop(|| -> () { exit() });
        };
        tina4_service::register(Service::new("second", body).interval("1h")).unwrap();
    }
    if has("stuck") {
        tina4_service::register(Service::new::<(), _>("stuck", |_| park())).unwrap();
    }
    if has("talks") {
        // Logs when it is asked to stop.
        let body = move |ctx: &Context| {
            blocked(ctx);
            tracing::info!("leaving");
        };
        tina4_service::register(Service::new("talks", body)).unwrap();
    }
}

fn end(has: &impl Fn(&str) -> bool, go: Sender<()>) -> ExitCode {
    assert!(!has("panic"), "main panics");
    if has("exit") {
        exit();
    }
    if has("service") {
        drop(go);
        park();
    }
    if has("hook") {
        drop(tina4_service::stop("exits"));
        park();
    }
    ExitCode::from(7)
}
