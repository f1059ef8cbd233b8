//! A program with `Builder::quiesce`: see `tests/process/quiesce.rs`. Its arguments are a scenario and the quiesce
//! time.

use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use tina4_service::{Change, Context, Ready, Runner, Service, StopCause};

fn sleep_until_stopped(ctx: &Context) {
    while ctx.sleep(Duration::from_secs(3_600)) {}
}

/// Says on standard output when the program is not ready any more, and then to the receiver.
fn watch_readiness(runner: &Runner) -> Receiver<()> {
    let runner = runner.clone();
    let (said, saying) = bounded(1);
    tests::spawn(move || {
        let readiness = loop {
            let readiness = runner.readiness();
            if !readiness.is_ready {
                break readiness;
            }
            tests::pause(Duration::from_millis(1));
        };
        let is_running = runner.is_running("web");
        println!("not ready: {}, running: {is_running}", readiness.runner.unwrap_or_default());
        let _ = said.send(());
    });
    saying
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let scenario = arguments.next().unwrap_or_default();
    let quiesce = arguments.next().unwrap_or_default();
    let quiesce = Duration::from_millis(quiesce.parse().expect("milliseconds"));
    let builder = Runner::builder().only::<&str>([]).quiesce(quiesce);
    let runner = builder.shutdown_timeout(Duration::from_secs(3_600)).build();
    let web = move |ctx: &Context| {
        ctx.ready();
        println!("ready");
        sleep_until_stopped(ctx);
        println!("asked to stop");
        if ctx.name() == "stuck" {
            loop {
                tests::pause(Duration::from_secs(3_600));
            }
        }
    };
    let name = if scenario == "stuck" { "stuck" } else { "web" };
    let web = Service::new(name, web).ready(Ready::Notified).stop_timeout("1h");
    runner.register(web).expect("a service");
    match &*scenario {
        "run" => {
            // The watcher must see that it was ready.
            runner.start_all().expect("it starts");
            runner.wait_ready("web").expect("it becomes ready");
            let _ = watch_readiness(&runner);
            let events = runner.subscribe();
            let code = runner.run();
            for event in events.try_iter() {
                if let Change::Quiescing { quiesce } = event.change {
                    println!("event: {quiesce:?}");
                }
            }
            code
        }
        "blocked" => {
            // Under `run`, the stop begins although the thread that called it is blocked.
            let clock = tina4_service::Clock::manual(std::time::SystemTime::UNIX_EPOCH);
            let builder = Runner::builder().only::<&str>([]).quiesce(quiesce).clock(clock);
            // So that nothing else than the quiesce time ends the wait.
            let runner = builder.shutdown_timeout(Duration::from_secs(3_600)).build();
            let body = |ctx: &Context| {
                println!("ready");
                while !ctx.is_stopping() {
                    tests::pause(Duration::from_millis(1));
                }
                println!("asked to stop");
            };
            runner.register(Service::new("web", body)).expect("a service");
            runner.run()
        }
        "waits" => {
            runner.start_all().expect("it starts");
            runner.wait_ready("web").expect("it becomes ready");
            let said = watch_readiness(&runner);
            let cause = runner.wait_for_signal().expect("handlers");
            println!("{cause}, ready: {}", runner.readiness().is_ready);
            said.recv().expect("the thread has seen it, too");
            // The program goes on: it waits for another signal.
            let given_up = runner.wait_for_signal_timeout(Duration::ZERO).expect("handlers");
            println!("{given_up:?}, ready: {}", runner.readiness().is_ready);
            println!("waits again");
            // A wait that gives up meanwhile loses nothing.
            let cause = loop {
                let wait = runner.wait_for_signal_timeout(Duration::from_millis(5));
                match wait.expect("handlers") {
                    Some(cause) => break cause,
                    None if runner.readiness().is_ready => {}
                    None => println!("gave up, running: {}", runner.is_running("web")),
                }
            };
            assert!(matches!(cause, StopCause::Signal(_)));
            runner.stop_all();
            println!("{}", runner.readiness().runner.unwrap_or_default());
            ExitCode::SUCCESS
        }
        _ => runner.run(),
    }
}
