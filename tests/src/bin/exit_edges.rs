//! Ends without `stop_all` at awkward moments: see `tests/process/exit_edges.rs`.

use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use tina4_service::{Context, Runner, Service};

/// Says so on standard output when it is dropped, which may wait for ever.
struct Talks;

impl Drop for Talks {
    fn drop(&mut self) {
        println!("dropped");
    }
}

#[expect(clippy::disallowed_methods, reason = "this program is about its end")]
fn exit() -> ! {
    std::process::exit(3)
}

fn hook(ctx: &Context) {
    eprintln!("hook: {}", ctx.name());
}

fn main() -> ExitCode {
    let how = std::env::args().nth(1).unwrap_or_default();
    match how.as_str() {
        "values" => {
            drop(values());
            return ExitCode::SUCCESS;
        }
        "starting" => starting(),
        "many-runners" => many_runners(),
        "asking" => asking(),
        "one-thread" => one_thread(),
        other => panic!("no such way: {other}"),
    }
    ExitCode::from(3)
}

/// The runner is gone, its value is the last thing that is dropped, and standard output is held.
///
/// Its service is not stopped before this function has let go of the runner: or else it could be
/// this function, not the end of the process, that drops the value.
fn values() -> Sender<()> {
    let (have, held) = bounded::<()>(0);
    tests::spawn(move || {
        let _lock = std::io::stdout().lock();
        have.send(()).expect("somebody waits");
        let (_never, nothing) = bounded::<()>(0);
        while nothing.recv_timeout(Duration::from_secs(3_600)).is_err() {}
    });
    held.recv().expect("it is held");
    let runner = Runner::new();
    runner.provide(Talks);
    let (let_go, gone) = bounded::<()>(0);
    let idle = Service::new("idle", |_| {}).interval("1h").on_stop(move |ctx: &Context| {
        let _ = gone.recv();
        hook(ctx);
    });
    runner.register(idle);
    runner.start_all().expect("it starts");
    let_go
}

/// Another thread never stops starting: it has the lock of the list of runners more often than not.
fn starting() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook));
    runner.start_all().expect("it starts");
    let (have, begun) = bounded::<()>(0);
    tests::spawn(move || {
        let busy = Runner::new();
        let mut have = Some(have);
        loop {
            let _ = busy.start("nobody");
            drop(have.take());
        }
    });
    let _ = begun.recv();
    // Kept, so that its services are stopped by the end of the process, and by nothing else.
    std::mem::forget(runner);
}

/// Another thread never stops starting, and the list of runners is long: the end of the process
/// finds its lock taken nearly always.
fn many_runners() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook));
    runner.start_all().expect("it starts");
    let (have, begun) = bounded::<()>(0);
    tests::spawn(move || {
        let many: Vec<_> = (0..3_000).map(|_| Runner::new()).collect();
        for one in &many {
            let _ = one.start("nobody");
        }
        drop(have);
        loop {
            let _ = many[0].start("nobody");
        }
    });
    let _ = begun.recv();
    std::mem::forget(runner);
}

/// Another thread never stops asking the runner, which takes its time to answer: the end of the
/// process finds the lock of the runner taken more often than not.
fn asking() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook));
    for number in 0..200 {
        let name = format!("sleeper-{number}");
        runner.register(Service::new(name, |_| {}).autostart(false));
    }
    runner.start_all().expect("it starts");
    let (have, begun) = bounded::<()>(0);
    let busy = runner.clone();
    tests::spawn(move || {
        let mut have = Some(have);
        loop {
            std::hint::black_box(busy.services());
            drop(have.take());
        }
    });
    let _ = begun.recv();
    std::mem::forget(runner);
}

/// The only thread is the one that ends the process: another one must clean up.
fn one_thread() {
    let runner = Runner::builder().only::<&str>([]).max_threads(1).build();
    let body = |_: &Context| exit();
    runner.register(Service::new::<(), _>("exits", body).on_stop(hook).initial_delay("20ms"));
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook));
    runner.start_all().expect("it starts");
    runner.wait();
}
