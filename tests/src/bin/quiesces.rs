//! A program with `Builder::quiesce`: see `tests/process/quiesce.rs`. Its arguments are a scenario and the quiesce
//! time.

use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use tina4_service::{Builder, Change, Context, Flow, Ready, Runner, Service, Settings, StopCause};

const HOUR: Duration = Duration::from_secs(3_600);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let scenario = arguments.next().unwrap_or_default();
    let quiesce = arguments.next().unwrap_or_default();
    let quiesce = Duration::from_millis(quiesce.parse().expect("milliseconds"));
    let builder = builder().quiesce(quiesce);
    match &*scenario {
        "run" => run(&builder.build()),
        "settings" => run(&builder.settings(Settings::new().quiesce("1h")).build()),
        "stuck" => {
            let runner = with_web(&builder.build(), true);
            let _ = watch_readiness(&runner);
            runner.run()
        }
        "timeout" => {
            let builder = builder.shutdown_timeout(Duration::from_millis(1));
            with_web(&builder.build(), true).run()
        }
        "blocked" | "blocked and stuck" => {
            // Under `run`, the stop begins although the thread that called it is blocked: here, it waits for a clock
            // that stands still.
            let clock = tina4_service::Clock::manual(std::time::SystemTime::UNIX_EPOCH);
            with_web(&builder.clock(clock).build(), scenario == "blocked and stuck").run()
        }
        "stop_all" => {
            let runner = with_web(&builder.build(), false);
            let stopper = runner.clone();
            tests::spawn(move || {
                wait_until_not_ready(&stopper);
                println!("stopped: {}", stopper.stop_all().is_clean());
            });
            runner.run()
        }
        "critical" => {
            let runner = with_web(&builder.build(), false);
            let vital = |ctx: &Context| {
                wait_until_not_ready(&ctx.runner().expect("a runner"));
                Err::<(), _>("no")
            };
            let vital = Service::new("vital", vital).critical(true).max_restarts(0);
            runner.register(vital).expect("a service");
            runner.run()
        }
        "idle" => {
            let runner = builder.build();
            let work = |ctx: &Context| {
                println!("ready");
                wait_until_not_ready(&ctx.runner().expect("a runner"));
                Flow::Done
            };
            runner.register(Service::new("work", work)).expect("a service");
            let code = runner.run();
            let again = runner.wait_for_signal_timeout(Duration::ZERO).expect("handlers");
            println!("{code:?}, then {again:?}");
            code
        }
        "idle, then stuck" => {
            let runner = builder.build();
            let work = |ctx: &Context| {
                println!("ready");
                wait_until_not_ready(&ctx.runner().expect("a runner"));
                Flow::Done
            };
            runner.register(Service::new("work", work)).expect("a service");
            let _ = runner.run();
            println!("returned");
            sleep_for_ever()
        }
        "two" => two(quiesce),
        "waits" => waits(&with_web(&builder.build(), false)),
        "gap" => gap(&with_web(&builder.build(), false)),
        "run_async" => on_runtime(run_async(&with_web(&builder.build(), false))),
        "wait_for_signal_async" => on_runtime(wait_async(&with_web(&builder.build(), false))),
        other => panic!("unknown scenario `{other}`"),
    }
}

fn builder() -> Builder {
    Runner::builder().only::<&str>([]).shutdown_timeout(HOUR)
}

/// Adds a service that says what happens to it. `is_stuck`: it does not return.
fn with_web(runner: &Runner, is_stuck: bool) -> Runner {
    let body = move |ctx: &Context| {
        ctx.ready();
        println!("ready");
        // Not in `sleep`, which ends by the runner's clock.
        while !ctx.is_stopping() {
            tests::pause(Duration::from_millis(1));
        }
        println!("asked to stop");
        if is_stuck {
            sleep_for_ever();
        }
    };
    let web = Service::new("web", body).ready(Ready::Notified).stop_timeout("1h");
    runner.register(web).expect("a service");
    runner.clone()
}

fn sleep_for_ever() -> ! {
    loop {
        tests::pause(HOUR);
    }
}

/// Waits until the program has been ready and is not any more; returns why.
fn wait_until_not_ready(runner: &Runner) -> String {
    let readiness = loop {
        let readiness = runner.readiness();
        if readiness.runner.is_some() {
            break readiness;
        }
        tests::pause(Duration::from_millis(1));
    };
    readiness.runner.unwrap_or_default().into_owned()
}

/// Says on standard output when the program is not ready any more, and then to the receiver.
fn watch_readiness(runner: &Runner) -> Receiver<()> {
    let runner = runner.clone();
    let (said, saying) = bounded(1);
    tests::spawn(move || {
        let reason = wait_until_not_ready(&runner);
        println!("not ready: {reason}, running: {}", runner.is_running("web"));
        let _ = said.send(());
    });
    saying
}

fn run(runner: &Runner) -> ExitCode {
    let runner = with_web(runner, false);
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

/// One runner stops soon after the signal, and another one keeps its services running for an hour.
fn two(quiesce: Duration) -> ExitCode {
    let named = |name: &'static str, quiesce, is_stuck| {
        let runner = builder().quiesce(quiesce).build();
        let body = move |ctx: &Context| {
            println!("{name}: ready");
            while ctx.sleep(HOUR) {}
            println!("{name}: asked to stop");
            if is_stuck {
                sleep_for_ever();
            }
        };
        runner.register(Service::new(name, body).stop_timeout("1h")).expect("a service");
        runner
    };
    let (short, long) = (named("short", quiesce, true), named("long", HOUR, true));
    tests::spawn(move || {
        let _ = short.run();
    });
    long.run()
}

fn waits(runner: &Runner) -> ExitCode {
    runner.start_all().expect("it starts");
    runner.wait_ready("web").expect("it becomes ready");
    let said = watch_readiness(runner);
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

/// The signal arrives while nobody waits for one, and there is a runner that never does.
fn gap(runner: &Runner) -> ExitCode {
    let other = builder().build();
    other.register(Service::new("other", |_| {}).cron("0 * * * *")).expect("a service");
    other.start_all().expect("it starts");
    runner.start_all().expect("it starts");
    runner.wait_ready("web").expect("it becomes ready");
    let ready = || (runner.readiness().is_ready, other.readiness().is_ready);
    // Installs the handlers.
    let waited = runner.wait_for_signal_timeout(Duration::ZERO).expect("handlers");
    println!("{:?}, ready: {:?}", waited.map(|cause| cause.to_string()), ready());
    println!("nobody waits");
    println!("not ready: {}", wait_until_not_ready(runner));
    println!("not ready: {}", wait_until_not_ready(&other));
    let waited = runner.wait_for_signal_timeout(Duration::ZERO).expect("handlers");
    println!("{:?}, ready: {:?}", waited.map(|cause| cause.to_string()), ready());
    // The program goes on.
    let waited = runner.wait_for_signal_timeout(Duration::ZERO).expect("handlers");
    println!("{:?}, ready: {:?}", waited.map(|cause| cause.to_string()), ready());
    runner.stop_all();
    other.stop_all();
    ExitCode::SUCCESS
}

fn on_runtime(body: impl Future<Output = ExitCode>) -> ExitCode {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(body)
}

async fn run_async(runner: &Runner) -> ExitCode {
    let _ = watch_readiness(runner);
    runner.run_async().await
}

async fn wait_async(runner: &Runner) -> ExitCode {
    runner.start_all().expect("it starts");
    let _ = watch_readiness(runner);
    let cause = runner.wait_for_signal_async().await.expect("handlers");
    println!("{cause}, ready: {}", runner.readiness().is_ready);
    runner.stop_all_async().await;
    ExitCode::SUCCESS
}
