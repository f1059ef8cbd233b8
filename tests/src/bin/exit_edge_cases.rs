//! Ends without `stop_all` in edge cases: see `tests/process/exit_edge_cases.rs`.

use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use tina4_service::{Context, Runner, Service};

/// Prints to standard output when it is dropped, which blocks if its lock is held.
struct PrintsOnDrop;

impl Drop for PrintsOnDrop {
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
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match scenario.as_str() {
        "values" => {
            drop(values());
            eprintln!("ends");
            return ExitCode::SUCCESS;
        }
        "starting" => starting(),
        "many-runners" => many_runners(),
        "querying" => querying(),
        "one-thread" => one_thread(),
        other => panic!("unknown argument `{other}`"),
    }
    eprintln!("ends");
    ExitCode::from(3)
}

/// The handle of the runner is dropped, and the lock of standard output is held.
///
/// The service does not stop before this function has dropped the handle; otherwise this function,
/// and not the end of the process, might drop the value.
fn values() -> Sender<()> {
    let (ready_sender, ready) = bounded::<()>(0);
    tests::spawn(move || {
        let _lock = std::io::stdout().lock();
        ready_sender.send(()).expect("the receiver waits");
        let (_never, nothing) = bounded::<()>(0);
        while nothing.recv_timeout(Duration::from_secs(3_600)).is_err() {}
    });
    ready.recv().expect("the lock is held");
    let runner = Runner::new();
    runner.provide(PrintsOnDrop);
    let (release, released) = bounded::<()>(0);
    let idle = Service::new("idle", |_| {}).interval("1h").on_stop(move |ctx: &Context| {
        let _ = released.recv();
        hook(ctx);
    });
    runner.register(idle).unwrap();
    runner.start_all().expect("it starts");
    release
}

/// Another thread creates runners in a loop, and calls `start` for a service that does not exist: it often
/// holds the lock of the list of runners.
fn starting() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook)).unwrap();
    runner.start_all().expect("it starts");
    let (ready_sender, ready) = bounded::<()>(0);
    tests::spawn(move || {
        let mut ready_sender = Some(ready_sender);
        loop {
            let _ = Runner::new().start("nobody");
            drop(ready_sender.take());
        }
    });
    let _ = ready.recv();
    // Leaked, so that only the end of the process stops its services.
    std::mem::forget(runner);
}

/// Two other threads call `start` in a loop, for a service that does not exist, one of an old runner and one of a
/// new runner each time, and the list of runners is long.
fn many_runners() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook)).unwrap();
    runner.start_all().expect("it starts");
    let (ready_sender, ready) = bounded::<()>(0);
    tests::spawn(move || {
        let many: Vec<_> = (0..3_000).map(|_| Runner::new()).collect();
        for one in &many {
            let _ = one.start("nobody");
        }
        tests::spawn(|| {
            loop {
                let _ = Runner::new().start("nobody");
            }
        });
        drop(ready_sender);
        loop {
            let _ = many[0].start("nobody");
        }
    });
    let _ = ready.recv();
    std::mem::forget(runner);
}

/// Another thread queries the runner in a loop, and each query takes long: the lock of the runner
/// is held most of the time.
fn querying() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook)).unwrap();
    for number in 0..200 {
        let name = format!("sleeper-{number}");
        runner.register(Service::new(name, |_| {}).autostart(false)).unwrap();
    }
    runner.start_all().expect("it starts");
    let (ready_sender, ready) = bounded::<()>(0);
    let busy = runner.clone();
    tests::spawn(move || {
        let mut ready_sender = Some(ready_sender);
        loop {
            std::hint::black_box(busy.services());
            drop(ready_sender.take());
        }
    });
    let _ = ready.recv();
    std::mem::forget(runner);
}

/// The only worker ends the process, so another thread must run the hooks.
fn one_thread() {
    let runner = Runner::builder().only::<&str>([]).max_threads(1).build();
    let body = |_: &Context| {
        eprintln!("ends");
        exit()
    };
    runner
        .register(Service::new::<(), _>("exits", body).on_stop(hook).initial_delay("20ms"))
        .unwrap();
    runner.register(Service::new("idle", |_| {}).interval("1h").on_stop(hook)).unwrap();
    runner.start_all().expect("it starts");
    runner.wait();
}
