//! Forks while services run; its argument selects the scenario: see `tests/process/fork.rs`.
#![cfg_attr(not(unix), allow(unused, reason = "there is no `fork` elsewhere"))]

#[cfg(unix)]
fn main() {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match &*scenario {
        "children" => unix::children(),
        "children of async services" => unix::children_of_async_services(),
        "from a poll" => unix::from_a_poll(),
        "from a service" => unix::from_a_service(),
        "returns in both" => unix::returns_in_both(),
        "daemon" => unix::daemon(),
        "signals" => unix::signals(),
        other => panic!("unknown argument `{other}`"),
    }
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::time::Duration;

    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::{ForkResult, Pid, fork, getpid};
    use tests::{Stopwatch, secs};
    use tina4_service::{
        Context, ControlError, Flow, RegisterError, Runner, Schedule, Service, StartError,
        StopCause,
    };

    /// The number of children.
    const CHILDREN: u32 = 300;

    /// The number of children of async services.
    const ASYNC_CHILDREN: u32 = 100;

    /// A child that takes longer hangs, on a busy machine, too.
    const HANGS: Duration = secs(40);

    /// How long the checks of a child may take together: not as long as the shortest timeout, which is ten seconds.
    const PROMPT: Duration = secs(9);

    /// How many children run at once. They compete for the processors, so that many would be slow.
    const AT_ONCE: u32 = 10;

    /// Runs `child` in a forked child, which exits with the code that `child` returns.
    fn in_child(child: impl FnOnce() -> i32) -> Pid {
        // SAFETY: any lock of this program may be held in the child, which is the subject of the
        // test; the child uses locks of other threads only through the crate.
        match unsafe { fork() }.expect("a process") {
            ForkResult::Parent { child } => child,
            ForkResult::Child => exit(child()),
        }
    }

    /// Exits through the exit hook.
    #[expect(clippy::disallowed_methods, reason = "the end of a forked child is the subject")]
    fn exit(code: i32) -> ! {
        std::process::exit(code)
    }

    /// Waits for the end of a child, and kills it if it hangs.
    fn end_of(child: Pid) -> Option<WaitStatus> {
        let stopwatch = Stopwatch::start();
        loop {
            let status = waitpid(child, Some(WaitPidFlag::WNOHANG)).expect("a child");
            if status != WaitStatus::StillAlive {
                return Some(status);
            }
            if stopwatch.elapsed() > HANGS {
                kill(child, Signal::SIGKILL).expect("the child exists");
                waitpid(child, None).expect("the end of the child");
                return None;
            }
            tests::pause(Duration::from_micros(200));
        }
    }

    /// Runs `check` in this many children, and waits for their ends.
    fn ends(count: u32, check: impl Fn() -> i32) -> Vec<(Pid, Option<WaitStatus>)> {
        let some = |_| {
            let children: Vec<_> = (0..AT_ONCE).map(|_| in_child(&check)).collect();
            children.into_iter().map(|child| (child, end_of(child))).collect::<Vec<_>>()
        };
        (0..count / AT_ONCE).flat_map(some).collect()
    }

    /// A runner whose services keep its lock busy.
    fn busy() -> Runner {
        let runner = Runner::builder().only::<&str>([]).build();
        let hook = |ctx: &Context| eprintln!("hook: {}", ctx.name());
        runner.register(Service::new("again", |_| Flow::Again).on_stop(hook)).unwrap();
        let asks = |ctx: &Context| {
            let runner = RUNNER.get().expect("it is set before the start");
            while !ctx.is_stopping() {
                std::hint::black_box(runner.services());
            }
        };
        RUNNER.set(runner.clone()).expect("set once");
        runner.register(Service::new("asks", asks)).unwrap();
        let sleeps = |ctx: &Context| while ctx.sleep(secs(3_600)) {};
        runner.register(Service::new("sleeps", sleeps)).unwrap();
        runner.start_all().expect("it starts");
        runner
    }

    static RUNNER: std::sync::OnceLock<Runner> = std::sync::OnceLock::new();

    /// Starts a thread that holds the lock of standard error most of the time, as a logger might.
    fn hold_stderr() {
        tests::spawn(|| {
            loop {
                let _lock = std::io::stderr().lock();
                std::hint::black_box(std::process::id());
            }
        });
    }

    pub(super) fn children() {
        let runner = busy();
        hold_stderr();
        let ends = ends(CHILDREN, || check_inherited_runner(&runner));
        let hung = ends.iter().filter(|(_, end)| end.is_none()).count();
        let wrong: Vec<_> = ends
            .iter()
            .filter(|(child, end)| *end != Some(WaitStatus::Exited(*child, 0)))
            .collect();
        println!("{hung} hung, {} wrong {wrong:?}", wrong.len());
        println!("{}", runner.status().len());
        assert!(runner.is_running("again"), "the parent's services continue");
        assert!(runner.stop_all().is_clean());
    }

    /// The async services of the parent are on a runtime, which has no thread in the children.
    pub(super) fn children_of_async_services() {
        async fn waits(ctx: &Context) {
            while ctx.sleep_async(Duration::from_millis(1)).await {}
        }
        async fn again() -> Flow {
            tokio::task::yield_now().await;
            Flow::Again
        }
        async fn hook(ctx: &Context) {
            tokio::task::yield_now().await;
            eprintln!("hook: {}", ctx.name());
        }
        let runner = Runner::builder().only::<&str>([]).build();
        runner.register(Service::of("sleeps", waits).on_stop_of(hook)).unwrap();
        runner.register(Service::of("again", again).on_stop_of(hook)).unwrap();
        runner.start_all().expect("it starts");
        let check = || match check_inherited_runner(&runner) {
            0 => check_inherited_twins(&runner),
            failed => failed,
        };
        let ends = ends(ASYNC_CHILDREN, check).into_iter();
        let wrong: Vec<_> =
            ends.filter(|(child, end)| *end != Some(WaitStatus::Exited(*child, 0))).collect();
        println!("{} hung or wrong {wrong:?}", wrong.len());
        assert!(runner.is_running("again") && runner.is_running("sleeps"), "they continue");
        assert!(runner.stop_all().is_clean());
    }

    /// Checks the twins of the parent's runner in a child, on a runtime of the child; returns 0, or 100 and the
    /// number of the failed check.
    fn check_inherited_twins(runner: &Runner) -> i32 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let report = runner.stop_all_async().await;
            let forked =
                |answer: Result<(), ControlError>| matches!(answer, Err(ControlError::Forked));
            let stopwatch = Stopwatch::start();
            runner.wait_async().await;
            let checks = [
                report.forked && report.services.is_empty(),
                forked(runner.stop_async("sleeps").await.map(drop)),
                forked(runner.restart_async("sleeps").await),
                forked(runner.unregister_async("sleeps").await.map(drop)),
                forked(runner.wait_ready_async("sleeps").await),
                runner.wait_timeout_async(secs(3_600)).await,
                runner.wait_for_signal_async().await.is_err(),
                runner.run_async().await == std::process::ExitCode::from(71),
                own_async_runner_works().await,
                stopwatch.elapsed() < PROMPT,
            ];
            let wrong = checks.iter().position(|good| !good);
            wrong.map_or(0, |check| 101 + i32::try_from(check).expect("a few"))
        })
    }

    /// Whether a runner created in the child runs its async service, on the runtime of the child.
    async fn own_async_runner_works() -> bool {
        async fn own(ctx: &Context) -> Flow {
            let _ = ctx.sleep_async(Duration::from_millis(1)).await;
            Flow::Done
        }
        let runner = Runner::new();
        runner.register(Service::of("own", own)).unwrap();
        runner.start_all().expect("it starts");
        runner.wait_async().await;
        runner.status()["own"].to_string() == "finished" && runner.stop_all_async().await.is_clean()
    }

    /// The child is a copy of a thread of a runtime that polls a service.
    pub(super) fn from_a_poll() {
        async fn forks(ctx: &Context) -> Flow {
            tokio::task::yield_now().await;
            let parent = ctx.runner().expect("it has one");
            let inside = || {
                let report = parent.stop_all();
                let is_refused = matches!(parent.stop("forks"), Err(ControlError::Forked));
                i32::from(!report.forked || !is_refused || ctx.is_stopping())
            };
            println!("{:?}", end_of(in_child(inside)).map(|status| exit_code(&status)));
            Flow::Done
        }
        async fn hook(ctx: &Context) {
            eprintln!("hook: {}", ctx.name());
        }
        let runner = Runner::new();
        runner.register(Service::of("forks", forks).on_stop_of(hook)).unwrap();
        runner.start_all().expect("it starts");
        runner.wait();
    }

    /// Checks the parent's runner in a child; returns 0, or the number of the failed check.
    fn check_inherited_runner(runner: &Runner) -> i32 {
        let control = [
            runner.start("sleeps"),
            runner.restart("sleeps"),
            runner.run_now("again"),
            runner.pause("again"),
            runner.resume("again"),
            runner.stop("sleeps").map(drop),
            runner.unregister("sleeps").map(drop),
            runner.reschedule("again", Schedule::interval(secs(1))),
            runner.wait_ready("again"),
        ];
        let stopwatch = Stopwatch::start();
        let registered = runner.register(Service::new("refused", |_| {}));
        runner.provide(7_u8);
        let code = runner.run();
        let report = runner.stop_all();
        runner.wait();
        // Dropping a handle must not hang in the child either.
        drop(runner.clone());
        let waited = runner.wait_for_signal().map(drop);
        let checks = [
            runner.status().is_empty() && runner.services().is_empty(),
            !runner.is_live() && !runner.readiness().is_ready && !runner.health().is_live,
            !runner.is_running("sleeps"),
            control.iter().all(|answer| matches!(answer, Err(ControlError::Forked))),
            matches!(registered, Err(RegisterError::Forked)),
            matches!(runner.start_all(), Err(StartError::Forked)),
            matches!(runner.check(), Err(StartError::Forked)),
            report.forked && !report.is_clean() && report.services.is_empty(),
            waited.is_err_and(|error| error.to_string().contains("forked")),
            runner.subscribe().recv().is_err(),
            code == std::process::ExitCode::from(71),
            runner.wait_timeout(secs(3_600)),
            format!("{runner:?}").contains("{}"),
            stopwatch.elapsed() < PROMPT,
            // This comes before the next check, which starts threads in this child: the standard
            // library has a lock that threads hold while they start or end, and a child forked
            // while it is held cannot start any.
            end_of(in_child(|| i32::from(!own_runner_works()))).is_some_and(|end| is_good(&end)),
            own_runner_works(),
        ];
        let wrong = checks.iter().position(|good| !good);
        wrong.map_or(0, |check| i32::try_from(check).expect("a few") + 1)
    }

    fn is_good(end: &WaitStatus) -> bool {
        matches!(end, WaitStatus::Exited(_, 0))
    }

    /// Whether a runner created in the child runs its service.
    fn own_runner_works() -> bool {
        let own = Runner::new();
        own.register(Service::new("own", |_| Flow::Done)).unwrap();
        own.start_all().expect("it starts");
        own.wait();
        own.status()["own"].to_string() == "finished" && own.stop_all().is_clean()
    }

    /// The child is a copy of a thread that runs a service.
    pub(super) fn from_a_service() {
        let runner = Runner::new();
        let hook = |ctx: &Context| eprintln!("hook: {}", ctx.name());
        let parent = runner.clone();
        let body = move |ctx: &Context| {
            let inside = || {
                let report = parent.stop_all();
                i32::from(!report.forked || ctx.is_stopping() || !own_runner_works())
            };
            println!("{:?}", end_of(in_child(inside)).map(|status| exit_code(&status)));
            Flow::Done
        };
        runner.register(Service::new("forks", body).on_stop(hook)).unwrap();
        runner.start_all().expect("it starts");
        runner.wait();
    }

    /// The function of a service returns in the child, too, on the thread of a worker.
    pub(super) fn returns_in_both() {
        let parent = std::process::id();
        let here = move || if std::process::id() == parent { "parent" } else { "child" };
        let runner = Runner::new();
        let (sender, child) = std::sync::mpsc::channel();
        let forks = move |_: &Context| {
            // SAFETY: as above; the child returns from this function.
            if let ForkResult::Parent { child } = unsafe { fork() }.expect("a process") {
                sender.send(child).expect("the receiver waits");
            }
            Flow::Done
        };
        let hook = move |ctx: &Context| println!("hook: {} in the {}", ctx.name(), here());
        runner.register(Service::new("forks", forks).on_stop(hook)).unwrap();
        let tick = move |_: &Context| {
            if here() == "child" {
                println!("a run in the child");
            }
        };
        runner.register(Service::new("tick", tick).interval("1ms")).unwrap();
        runner.start_all().expect("it starts");
        let end = end_of(child.recv().expect("it forks"));
        println!("{:?}", end.map(|status| exit_code(&status)));
        assert!(runner.stop_all().is_clean());
    }

    fn exit_code(status: &WaitStatus) -> String {
        if let WaitStatus::Exited(_, code) = status {
            format!("code {code}")
        } else if let WaitStatus::Signaled(_, signal, _) = status {
            format!("{signal}")
        } else {
            format!("{status:?}")
        }
    }

    /// Like a daemon: the parent prepares everything, and the child continues.
    pub(super) fn daemon() {
        tina4_service::provide(7_u8);
        let hook = |ctx: &Context| eprintln!("hook: {}", ctx.name());
        tina4_service::register(Service::new("daemon", |_| Flow::Done).on_stop(hook)).unwrap();
        tina4_service::check().expect("no faults");
        let child = in_child(|| {
            // `run` prints its report, which the test checks; the exit code says only whether it
            // succeeded.
            let code = tina4_service::run();
            i32::from(code != std::process::ExitCode::SUCCESS)
        });
        println!("{:?}", end_of(child).map(|status| exit_code(&status)));
    }

    /// The parent waits for signals when it forks.
    pub(super) fn signals() {
        let runner = busy();
        assert_eq!(runner.wait_for_signal_timeout(secs(0)).expect("handlers"), None);
        // A child that waits for no signal ends as if there were no handlers.
        let plain = in_child(|| {
            tests::pause(secs(3_600));
            9
        });
        kill(plain, Signal::SIGTERM).expect("the child exists");
        println!("{:?}", end_of(plain).map(|status| exit_code(&status)));
        // A child with its own runner can wait for its own signals.
        let (writer, reader) = pipe_to_child();
        let waits = in_child(move || {
            let own = Runner::new();
            assert_eq!(own.wait_for_signal_timeout(secs(0)).expect("handlers"), None);
            drop(writer);
            match own.wait_for_signal() {
                Ok(StopCause::Signal(signal)) => signal.number(),
                Ok(_) => 100,
                Err(_) => 101,
            }
        });
        // Returns when the child has closed its writing end, after installing its handlers; this
        // process's writing end was dropped with the closure.
        let _ = std::io::Read::read(&mut &reader, &mut [0]);
        kill(waits, Signal::SIGINT).expect("the child exists");
        println!("{:?}", end_of(waits).map(|status| exit_code(&status)));
        // A child that only asks for the table of its services (SIGUSR1) ends at a stop signal, because nothing in it
        // waits for one.
        let (writer, reader) = pipe_to_child();
        let dumps = in_child(move || {
            let own = Runner::builder().only::<&str>([]).dump_on_sigusr1(true).build();
            own.register(Service::new("own", |_| {}).interval("1h")).expect("a new name");
            own.start_all().expect("it starts");
            kill(getpid(), Signal::SIGUSR1).expect("it exists");
            drop(writer);
            tests::pause(secs(10));
            9
        });
        let _ = std::io::Read::read(&mut &reader, &mut [0]);
        kill(dumps, Signal::SIGTERM).expect("the child exists");
        println!("{:?}", end_of(dumps).map(|status| exit_code(&status)));
        // The parent has seen none of them.
        println!("{:?}", runner.wait_for_signal_timeout(secs(0)).expect("handlers"));
        assert!(runner.stop_all().is_clean());
    }

    /// A pipe, for waiting until the child has closed the writing end.
    fn pipe_to_child() -> (std::io::PipeWriter, std::io::PipeReader) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        (writer, reader)
    }
}
