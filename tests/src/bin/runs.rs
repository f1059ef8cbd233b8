//! Calls `run` or waits for a signal, with the services that its argument selects: see
//! `tests/process/signals.rs`.

use std::process::ExitCode;
use std::time::Duration;

use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, Flow, Ready, Runner, Service, StopCause};

/// Reports that it is ready, and sleeps until it is asked to stop.
fn ready_until_stopped(ctx: &Context) {
    println!("ready");
    while ctx.sleep(Duration::from_secs(3_600)) {}
}

/// Notices the stop request and ignores it.
fn ignores_stop(ctx: &Context) {
    while ctx.sleep(Duration::from_secs(3_600)) {}
    println!("asked to stop");
    park();
}

/// Blocks forever.
fn park() -> ! {
    loop {
        tests::pause(Duration::from_secs(3_600));
    }
}

/// Sends SIGTERM to this process.
fn raise() {
    #[cfg(unix)]
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).expect("a signal");
}

fn add(name: &'static str, body: fn(&Context)) {
    let service = Service::new(name, body).ready(Ready::Started);
    tina4_service::register(service.on_stop(|ctx| println!("hook: {}", ctx.name()))).unwrap();
}

fn main() -> ExitCode {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    let stuck = || Service::new("stuck", ignores_stop).ready(Ready::Started);
    let vital = || {
        // It starts after the other service, so that the other one is running when it fails.
        let vital = Service::new("vital", |_| Err::<(), _>("no")).critical(true).max_restarts(0);
        vital.after("web")
    };
    let stops_all =
        || Service::new("stops-all", |_| drop(tina4_service::stop_all())).after("stuck");
    match &*scenario {
        "graceful" => {
            add("database", |ctx| while ctx.sleep(Duration::from_secs(3_600)) {});
            tina4_service::register(Service::new("web", ready_until_stopped).after("database"))
                .unwrap();
        }
        "stuck" => {
            // It is ready once the other service runs.
            tina4_service::register(Service::new("web", ready_until_stopped).after("stuck"))
                .unwrap();
            tina4_service::register(stuck().stop_timeout("1h")).unwrap();
        }
        "finished" => tina4_service::register(Service::new("s", |_| Flow::Done)).unwrap(),
        "failed" => {
            let fails = Service::new("s", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails).unwrap();
        }
        "one fails" => {
            // It is ready once the other service has failed.
            let fails = Service::new("fails", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails).unwrap();
            let web = |ctx: &Context| {
                while tina4_service::is_running("fails") && ctx.sleep(Duration::from_millis(1)) {}
                ready_until_stopped(ctx);
            };
            tina4_service::register(Service::new("web", web)).unwrap();
        }
        "slow to stop" => {
            // It is still running when the second signal arrives.
            let body = |ctx: &Context| {
                ready_until_stopped(ctx);
                tests::pause(Duration::from_millis(200));
            };
            let hook = |ctx: &Context| println!("hook: {}", ctx.name());
            tina4_service::register(Service::new("web", body).on_stop(hook)).unwrap();
        }
        "critical" => {
            add("web", ready_until_stopped);
            tina4_service::register(vital()).unwrap();
        }
        "blocked" => {
            let fails = Service::new("migrations", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails.ready(Ready::Finished)).unwrap();
            let web = Service::new("web", ready_until_stopped);
            tina4_service::register(web.requires("migrations")).unwrap();
        }
        "critical and blocked" => {
            add("other", ready_until_stopped);
            let fails = Service::new("migrations", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails.ready(Ready::Finished).after("other")).unwrap();
            let web = Service::new("web", |_| {}).critical(true);
            tina4_service::register(web.requires("migrations")).unwrap();
        }
        "abandoned" => {
            add("web", ready_until_stopped);
            tina4_service::register(stuck().stop_timeout("50ms").after("web")).unwrap();
            tina4_service::register(stops_all()).unwrap();
        }
        "both" => {
            add("web", ready_until_stopped);
            tina4_service::register(stuck().stop_timeout("50ms")).unwrap();
            tina4_service::register(vital().after("stuck")).unwrap();
        }
        "faults" => {
            tina4_service::register(Service::new("a", |_| {}).after("nobody")).unwrap();
            tina4_service::register(Service::new("b", |_| {}).requires("nobody")).unwrap();
        }
        "waits" => {
            add("web", ready_until_stopped);
            tina4_service::start_all().expect("it starts");
            match tina4_service::wait_for_signal() {
                Ok(StopCause::Signal(signal)) => println!("{signal} {}", signal.number()),
                Ok(cause) => println!("{cause}"),
                Err(error) => println!("{error}"),
            }
            park();
        }
        "waits for the runner" => {
            add("web", ready_until_stopped);
            tina4_service::register(vital()).unwrap();
            tina4_service::start_all().expect("it starts");
            println!("{}", tina4_service::wait_for_signal().expect("handlers"));
            println!("{}", tina4_service::stop_all());
            return ExitCode::SUCCESS;
        }
        "gives up waiting" => {
            add("web", ready_until_stopped);
            tina4_service::start_all().expect("it starts");
            let wait = tina4_service::wait_for_signal_timeout;
            assert_eq!(wait(Duration::from_millis(20)).expect("handlers"), None);
            println!("gave up");
            // The signal arrives while nothing waits.
            raise();
            let cause = wait(tests::TIMEOUT).expect("handlers");
            println!("{:?}", cause.map(|cause| cause.to_string()));
            drop(tina4_service::stop_all());
            return ExitCode::SUCCESS;
        }
        "kept signal" => {
            add("web", |ctx| {
                ready_until_stopped(ctx);
                tests::pause(Duration::from_millis(1_500));
            });
            let given_up = tina4_service::wait_for_signal_timeout(Duration::ZERO);
            assert_eq!(given_up.expect("handlers"), None);
            raise();
        }
        "two runs" => {
            let run = |name: &'static str, slow: bool| {
                let runner = Runner::builder().only::<&str>([]).build();
                let body = move |ctx: &Context| {
                    ready_until_stopped(ctx);
                    tests::pause(Duration::from_millis(if slow { 1_500 } else { 0 }));
                };
                let hook = |ctx: &Context| println!("hook: {}", ctx.name());
                runner.register(Service::new(name, body).on_stop(hook)).unwrap();
                runner.run()
            };
            tests::spawn(move || {
                let _ = run("slow", true);
            });
            return run("quick", false);
        }
        "two waiters" => {
            let [polls, waits] = [Runner::new(), Runner::new()];
            let poll = || polls.wait_for_signal_timeout(Duration::ZERO).expect("handlers");
            assert_eq!(poll(), None);
            let (caught, cause) = crossbeam_channel::bounded(1);
            tests::spawn(move || {
                let _ = caught.send(waits.wait_for_signal().expect("handlers"));
            });
            raise();
            println!("{}", cause.recv().expect("the thread waits"));
            println!("{:?}", poll().map(|cause| cause.to_string()));
            println!("{:?}", poll());
            return ExitCode::SUCCESS;
        }
        "stuck, and another polls" => {
            tina4_service::register(Service::new("web", ready_until_stopped).after("stuck"))
                .unwrap();
            tina4_service::register(stuck().stop_timeout("1h")).unwrap();
            let other = Runner::new();
            tests::spawn(
                move || {
                    while other.wait_for_signal_timeout(Duration::from_millis(20)).is_ok() {}
                },
            );
        }
        "stop all with nothing running" => {
            tina4_service::register(Service::new("s", |_| Flow::Done)).unwrap();
            tina4_service::start_all().expect("it starts");
            tina4_service::wait();
            let (caught, cause) = crossbeam_channel::bounded(1);
            tests::spawn(move || {
                println!("ready");
                let _ = caught.send(tina4_service::wait_for_signal().expect("handlers"));
            });
            // Usually the thread is waiting by the end of this pause; if it is not, the result is
            // the same.
            tests::pause(Duration::from_millis(100));
            drop(tina4_service::stop_all());
            println!("{}", cause.recv().expect("the thread waits"));
            return ExitCode::SUCCESS;
        }
        "table" => {
            tracing_subscriber::fmt().with_ansi(false).init();
            let fails = Service::new("a", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails).unwrap();
            tina4_service::register(Service::new("web", ready_until_stopped)).unwrap();
        }
        "table of many" => {
            tracing_subscriber::fmt().with_ansi(false).init();
            let fails = Service::new("fails", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails).unwrap();
            for number in 0..2_500 {
                let service = Service::new(format!("idle-{number}"), |_| {}).interval("1h");
                tina4_service::register(service.initial_delay("1h")).unwrap();
            }
        }
        "table without run" => {
            tracing_subscriber::fmt().with_ansi(false).init();
            let runner = Runner::builder().only::<&str>([]).dump_on_sigusr1(true).build();
            runner.register(Service::new("web", ready_until_stopped)).unwrap();
            runner.start_all().expect("it starts");
            park();
        }
        "crashes" | "crashes with a log" => {
            if scenario == "crashes with a log" {
                tracing_subscriber::fmt().with_ansi(false).init();
            }
            let crashes = |ctx: &Context| match ctx.tick().run {
                1 => Err("the disk\nis full"),
                2 => Err("again"),
                _ => Ok(Flow::Done),
            };
            for name in ["first", "second"] {
                let service = Service::new(name, crashes).backoff("1ms");
                tina4_service::register(service).unwrap();
            }
        }
        "crashes without run" => {
            let fails = Service::new("s", |_| Err::<(), _>("no")).max_restarts(0);
            tina4_service::register(fails).unwrap();
            tina4_service::start_all().expect("it starts");
            tina4_service::wait();
            return ExitCode::SUCCESS;
        }
        "logged" => {
            tracing_subscriber::fmt().with_ansi(false).init();
            tina4_service::register(Service::new("web", ready_until_stopped)).unwrap();
            let events = tina4_service::subscribe();
            let code = tina4_service::run();
            let mut signals = Vec::new();
            for event in events.try_iter() {
                if let Change::SignalReceived { signal } = event.change {
                    signals.push(signal.to_string());
                }
            }
            println!("events: {signals:?}");
            return code;
        }
        "logs" | "floods" => {
            tracing_subscriber::fmt().init();
            let floods = scenario == "floods";
            let body = move |ctx: &Context| {
                eprintln!("ready");
                if floods {
                    loop {
                        tracing::info!("another line for a pipe that is not read");
                    }
                }
                while ctx.sleep(Duration::from_secs(3_600)) {}
            };
            let hook = |ctx: &Context| eprintln!("hook: {}", ctx.name());
            let web = Service::new("web", body).on_stop(hook);
            let limit = if floods { "200ms" } else { "10s" };
            tina4_service::register(web.stop_timeout(limit)).unwrap();
            let idle = Service::new("idle", |_| {}).interval("1h").initial_delay("1h");
            tina4_service::register(idle.on_stop(hook)).unwrap();
        }
        "virtual time" | "virtual time in the environment" => {
            let mut builder = TestRunner::builder().only::<&str>([]);
            if scenario != "virtual time" {
                #[expect(clippy::disallowed_methods, reason = "the subject of the scenario")]
                {
                    builder = builder.env_vars(std::env::vars_os());
                }
            }
            let mut test = builder
                .service(Service::new("s", |_| {}).interval("1h"))
                .build()
                .unwrap_or_else(|error| panic!("{error}"));
            test.advance("10s");
            println!("{} runs", test.runs("s"));
            return ExitCode::SUCCESS;
        }
        "logs, stuck" => {
            tracing_subscriber::fmt().init();
            let runner = Runner::builder().shutdown_timeout(Duration::from_millis(200)).build();
            let body = |ctx: &Context| {
                eprintln!("ready");
                ignores_stop(ctx);
            };
            runner.register(Service::new("stuck", body)).unwrap();
            return runner.run();
        }
        _ => {
            add("web", ready_until_stopped);
            tina4_service::start_all().expect("it starts");
            park();
        }
    }
    tina4_service::run()
}
