//! Rules 32, 34 and 35: when a service is ready, and who waits for whom. Most cases run in real time and
//! in virtual time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crossbeam_channel::bounded;
use tests::{EventWatcher, in_virtual_time, info, secs, sleep_until_stopped, until, within};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Fault, Flow, Ready, Restart, Runner, Service, StartError, State,
    StopReport, Stopped, service,
};

/// Services that run in real time or in virtual time.
enum World {
    Real(Runner),
    Virtual(TestRunner),
}

impl World {
    /// Runs `case` in both kinds of time.
    fn each(services: impl Fn() -> Vec<Service>, case: impl Fn(&mut World)) {
        let runner = Runner::new();
        for service in services() {
            runner.register(service).unwrap();
        }
        runner.start_all().unwrap();
        case(&mut Self::Real(runner.clone()));
        runner.stop_all();
        let mut test = in_virtual_time(services());
        // The services are started by the first step.
        test.advance("0s");
        case(&mut Self::Virtual(test));
    }

    fn runner(&self) -> &Runner {
        match self {
            Self::Real(runner) => runner,
            Self::Virtual(test) => test.runner(),
        }
    }

    /// Waits until the service is in this state: in real time until it is, in virtual time for a second.
    #[track_caller]
    fn expect(&mut self, name: &str, state: State) {
        self.expect_that(name, |runner| runner.status()[name] == state);
    }

    #[track_caller]
    fn expect_that(&mut self, what: &str, condition: impl Fn(&Runner) -> bool) {
        match self {
            Self::Real(runner) => until(what, || condition(runner)),
            Self::Virtual(test) => {
                test.advance("1s");
                assert!(condition(test.runner()), "{what}:\n{}", test.timeline());
            }
        }
    }

    fn request<T>(
        &mut self,
        real: impl FnOnce(&Runner) -> T,
        in_test: impl FnOnce(&mut TestRunner) -> T,
    ) -> T {
        match self {
            Self::Real(runner) => real(runner),
            Self::Virtual(test) => in_test(test),
        }
    }

    fn start(&mut self, name: &str) {
        self.request(|runner| runner.start(name), |test| test.start(name)).unwrap();
    }

    fn stop(&mut self, name: &str) -> Stopped {
        self.request(|runner| runner.stop(name), |test| test.stop(name)).unwrap()
    }

    fn restart(&mut self, name: &str) {
        self.request(|runner| runner.restart(name), |test| test.restart(name)).unwrap();
    }

    fn stop_all(&mut self) -> StopReport {
        self.request(Runner::stop_all, TestRunner::stop_all)
    }
}

/// A required task that has to be done before others start. It fails until it is allowed to succeed.
fn migrations(allowed: &Arc<Mutex<bool>>) -> Service {
    let allowed = Arc::clone(allowed);
    let body =
        move |_: &Context| if *allowed.lock().unwrap() { Ok(()) } else { Err("no such table") };
    Service::new("migrations", body).ready(Ready::Finished).max_restarts(0)
}

fn web() -> Service {
    Service::new("web", sleep_until_stopped).requires("migrations").ready(Ready::Started)
}

#[test]
fn rule_34_a_required_service_that_failed_blocks_until_it_is_started_again_and_ready() {
    let allowed = Arc::new(Mutex::new(false));
    World::each(
        || {
            *allowed.lock().unwrap() = false;
            vec![migrations(&allowed), web()]
        },
        |world| {
            world.expect("web", State::Blocked);
            let blocked = info(world.runner(), "web");
            assert_eq!((blocked.runs, &*blocked.waits_for), (0, &["migrations".into()][..]));
            assert!(!blocked.ready && !blocked.is_healthy());
            assert!(blocked.to_string().contains("blocked by migrations"), "{blocked}");
            assert!(!world.runner().is_running("web"));
            let error = world.runner().wait_ready("web").unwrap_err();
            assert!(matches!(&error, ControlError::Blocked { by, .. } if *by == ["migrations"]));
            assert_eq!(
                error.to_string(),
                "`web` is blocked, because it requires `migrations`; it starts by itself once that is ready"
            );
            assert!(matches!(world.runner().run_now("web"), Err(ControlError::Blocked { .. })));
            // It fails once more.
            world.start("migrations");
            world.expect("migrations", State::Failed);
            world.expect("web", State::Blocked);
            *allowed.lock().unwrap() = true;
            world.start("migrations");
            world.expect("web", State::Running);
            assert!(info(world.runner(), "web").waits_for.is_empty());
            assert!(info(world.runner(), "migrations").ready, "it has finished, and is ready");
            world.runner().wait_ready("web").unwrap();
            // A running service goes on when one that it requires is stopped or fails.
            *allowed.lock().unwrap() = false;
            world.start("migrations");
            world.expect("migrations", State::Failed);
            world.expect("web", State::Running);
        },
    );
}

#[test]
fn rule_34_a_required_service_that_was_not_started_or_was_stopped_blocks() {
    let services = || {
        let base = Service::new("base", sleep_until_stopped).ready(Ready::Started);
        vec![
            base.autostart(false),
            Service::new("middle", |_| {}).interval("1h").requires("base"),
            Service::new("top", |_| {}).interval("1h").requires("middle"),
            Service::new("lenient", |_| {}).interval("1h").after("base"),
        ]
    };
    World::each(services, |world| {
        world.expect("top", State::Blocked);
        world.expect("middle", State::Blocked);
        assert_eq!(info(world.runner(), "top").waits_for, ["middle"]);
        world.expect_that("`after` does not wait for it", |runner| {
            info(runner, "lenient").runs == 1
        });
        assert_eq!(world.runner().status()["base"], State::Registered, "nothing starts it");
        // The whole chain follows.
        world.start("base");
        world.expect_that("top has run", |runner| info(runner, "top").runs == 1);
        // They go on without it, but do not start again.
        assert!(matches!(world.stop("base"), Stopped::Ended { .. }));
        world.expect("middle", State::Waiting);
        world.restart("middle");
        world.expect("middle", State::Blocked);
        world.restart("top");
        world.expect("top", State::Blocked);
        // One that is stopped while it is blocked does not start by itself any more.
        assert!(matches!(world.stop("top"), Stopped::Ended { .. }));
        assert_eq!(world.runner().status()["top"], State::Stopped);
        world.start("base");
        world.expect_that("middle runs again", |runner| info(runner, "middle").runs == 2);
        assert_eq!(world.runner().status()["top"], State::Stopped);
        assert!(world.stop_all().is_clean());
    });
}

#[test]
fn rule_34_a_required_service_that_crashes_or_is_paused_before_it_is_ready_is_waited_for() {
    let crashes = || {
        let body = |ctx: &Context| if ctx.tick().attempt < 3 { Err("no") } else { Ok(()) };
        Service::new("base", body).interval("1h").backoff("1ms")
    };
    let dependents = || {
        vec![
            Service::new("top", |_| {}).interval("1h").requires("base"),
            Service::new("lenient", |_| {}).interval("1h").after("base"),
        ]
    };
    World::each(
        || [vec![crashes()], dependents()].concat_all(),
        |world| {
            world.expect_that("top has run", |runner| info(runner, "top").runs == 1);
            assert_eq!(info(world.runner(), "base").runs, 3, "only after the third run");
            assert!(info(world.runner(), "base").ready);
        },
    );
    let paused = || Service::new("base", |_| {}).interval("1h").initial_delay("200ms");
    World::each(
        || [vec![paused()], dependents()].concat_all(),
        |world| {
            world.request(|runner| runner.pause("base"), |test| test.pause("base")).unwrap();
            world.expect("base", State::Paused);
            world.expect("top", State::Waiting);
            assert_eq!(info(world.runner(), "top").waits_for, ["base"]);
            let shown = info(world.runner(), "top").to_string();
            assert!(shown.contains("waits for base"), "{shown}");
            // A requested run counts, and the pause goes on.
            world.request(|runner| runner.run_now("base"), |test| test.run_now("base")).unwrap();
            world.expect_that("top has run", |runner| info(runner, "top").runs == 1);
            world.expect("base", State::Paused);
        },
    );
}

/// Services have no `Clone`, so `concat` does not apply.
trait ConcatAll {
    fn concat_all(self) -> Vec<Service>;
}

impl ConcatAll for [Vec<Service>; 2] {
    fn concat_all(self) -> Vec<Service> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn rule_32_a_restart_of_a_required_service_keeps_its_dependent_waiting() {
    let services = || {
        vec![
            Service::new("base", |_| {}).interval("1h").initial_delay("300ms"),
            Service::new("top", |_| {}).interval("1h").requires("base"),
        ]
    };
    World::each(services, |world| {
        let events = world.runner().subscribe();
        world.restart("base");
        world.expect_that("top has run", |runner| info(runner, "top").runs == 1);
        let blocked = |event: tina4_service::Event| matches!(event.change, Change::Blocked { .. });
        assert!(!events.try_iter().any(blocked), "not even for a moment");
    });
}

#[test]
fn rule_32_a_service_is_ready_when_it_says_so() {
    let (say, heard) = bounded::<()>(0);
    let runner = Runner::new();
    let body = move |ctx: &Context| {
        let _ = heard.recv();
        ctx.ready();
        ctx.ready();
        sleep_until_stopped(ctx);
    };
    runner.register(Service::new("cache", body).ready(Ready::Notified)).unwrap();
    runner.register(Service::new("web", |_| {}).interval("1h").requires("cache")).unwrap();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_change("web", &Change::WaitsFor { services: vec!["cache".into()] });
    watcher.wait_for_run_begin("cache");
    assert!(!info(&runner, "cache").ready);
    let waiter = runner.clone();
    let ready = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| within("wait_ready", move || waiter.wait_ready("web")));
        say.send(()).unwrap();
        waiting.join().unwrap()
    });
    ready.unwrap();
    watcher.wait_for_change("cache", &Change::Ready);
    // It ends with a stop.
    runner.stop("cache").unwrap();
    let error = runner.wait_ready("cache").unwrap_err();
    assert_eq!(error.to_string(), "`cache` is stopped and cannot become ready; `start` it first");
    assert!(runner.stop_all().is_clean());
}

#[test]
fn rule_32_a_notification_works_in_virtual_time() {
    let body = |ctx: &Context| {
        let _ = ctx.sleep(secs(5));
        ctx.ready();
        sleep_until_stopped(ctx);
    };
    let mut t = in_virtual_time([
        Service::new("cache", body).ready(Ready::Notified),
        Service::new("web", |_| {}).interval("1h").requires("cache"),
    ]);
    t.advance("4999ms");
    assert_eq!((t.state("web"), t.runs("web")), (State::Waiting, 0));
    t.advance("1ms");
    assert_eq!(t.runs("web"), 1, "{}", t.timeline());
    let lines = ["web    waits for cache", "cache  ready", "web    run 1"];
    let timeline = t.timeline();
    let positions = lines.map(|line| timeline.find(line));
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{timeline}");
}

#[test]
fn rule_32_wait_ready_returns_as_soon_as_it_would_wait_forever() {
    let runner = Runner::new();
    runner.register(Service::new("idle", |_| {}).interval("1h").autostart(false)).unwrap();
    runner.register(Service::new("once", |_| {}).ready(Ready::Notified)).unwrap();
    let slow = |ctx: &Context| {
        let _ = ctx.sleep(secs(3_600));
    };
    runner.register(Service::new("slow", slow).ready(Ready::Finished).max_restarts(0)).unwrap();
    let inner = runner.clone();
    let (answer, answers) = bounded(2);
    let waits = move |ctx: &Context| {
        let _ = answer.send(inner.wait_ready(ctx.name()));
        let _ = answer.send(inner.wait_ready("slow"));
    };
    runner.register(Service::new("waits", waits).ready(Ready::Notified)).unwrap();
    runner.start_all().unwrap();
    assert!(matches!(runner.wait_ready("nobody"), Err(ControlError::Unknown { .. })));
    assert!(matches!(
        runner.wait_ready("idle"),
        Err(ControlError::NotReady { state: State::Registered, .. })
    ));
    let waiter = runner.clone();
    let finished = within("the end of `once`", move || waiter.wait_ready("once"));
    assert!(matches!(finished, Err(ControlError::NotReady { state: State::Finished, .. })));
    assert!(matches!(answers.recv().unwrap(), Err(ControlError::WaitsForItself { .. })));
    // A service that waits for another one is stopped meanwhile.
    assert!(matches!(runner.stop("waits").unwrap(), Stopped::Ended { .. }));
    assert!(matches!(answers.recv().unwrap(), Err(ControlError::Interrupted { .. })));
    // And a thread waits for one that is stopped meanwhile.
    let (waiter, stopper) = (runner.clone(), runner.clone());
    let stopped = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| within("wait_ready", move || waiter.wait_ready("slow")));
        stopper.stop("slow").unwrap();
        waiting.join().unwrap()
    });
    assert!(matches!(stopped, Err(ControlError::NotReady { state: State::Stopped, .. })));
    runner.stop_all();
}

#[test]
fn rule_32_a_continuous_service_that_others_depend_on_must_say_when_it_is_ready() {
    let runner = Runner::new();
    let line = line!() + 1;
    runner.register(Service::new("database", sleep_until_stopped)).unwrap();
    for name in ["d", "a", "c", "b", "e"] {
        runner.register(Service::new(name, |_| {}).interval("1h").requires("database")).unwrap();
    }
    runner.register(Service::new("alone", sleep_until_stopped)).unwrap();
    let Err(StartError::Faults(faults)) = runner.start_all() else { panic!("a fault") };
    assert_eq!(
        faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [format!(
            "`database` at {}:{line} does not say when it is ready, and `a`, `b` and `c` (and 2 more) depend on it; \
             add `ready = \"started\"` (its function has been called), `\"finished\"` (it has returned well) or \
             `\"notified\"` (it has called `ctx.ready()`)",
            file!()
        )]
    );
    // Others can be started by name.
    runner.start("alone").unwrap();
    assert!(matches!(runner.start("a"), Err(ControlError::Start(StartError::Faults(_)))));
    runner.stop_all();
}

#[test]
fn rule_30_and_34_cycles_over_both_keys_are_refused() {
    let runner = Runner::new();
    let service = |name: &'static str| Service::new(name, |_| {}).interval("1h");
    runner.register(service("a").after("b")).unwrap();
    runner.register(service("b").requires("c")).unwrap();
    runner.register(service("c").after("a")).unwrap();
    runner.register(service("d").requires("e")).unwrap();
    runner.register(service("e").requires("d")).unwrap();
    let Err(StartError::Faults(faults)) = runner.check() else { panic!("cycles") };
    let cycles: BTreeSet<Vec<_>> = faults
        .iter()
        .filter_map(|fault| {
            let Fault::Cycle { services } = fault else { return None };
            Some(services.iter().map(|(name, _)| &**name).collect())
        })
        .collect();
    assert_eq!(cycles, [vec!["a", "b", "c"], vec!["d", "e"]].into());
}

#[service(name = "ready.base", interval = "1h")]
fn base() {}

#[service(name = "ready.strict", interval = "1h", requires = [base])]
fn strict() {}

#[service(name = "ready.lenient", interval = "1h", after = [base])]
fn lenient() {}

#[test]
fn rule_30_and_34_leaving_out_a_required_service_is_a_fault_and_one_in_after_is_reported() {
    let runner = Runner::builder().only(["ready.strict", "ready.lenient"]).build();
    let Err(StartError::Faults(faults)) = runner.check() else { panic!("a fault") };
    let text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(faults.len(), 1, "{text}");
    assert!(
        text.contains("`ready.strict` at ") && text.contains(" requires `ready.base` at "),
        "{text}"
    );
    assert!(text.contains("; select both or neither"), "{text}");

    let runner = Runner::builder().only(["ready.lenient"]).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher
        .wait_for_change("ready.lenient", &Change::LeftOut { services: vec!["ready.base".into()] });
    watcher.wait_for_run_begin("ready.lenient");
    runner.stop_all();

    let plan = Runner::builder().only(["ready.base", "ready.strict", "ready.lenient"]).build();
    let plan = plan.check().unwrap().to_string();
    assert!(plan.contains("ready.strict   every 1h, requires ready.base"), "{plan}");
    assert!(plan.contains("ready.lenient  every 1h, after ready.base"), "{plan}");
}

#[test]
fn rule_35_blocked_is_not_active_and_a_blocked_critical_service_ends_the_runner() {
    let runner = Runner::new();
    let fails = |name: &'static str| {
        Service::new(name, |_| Err::<(), _>("no")).ready(Ready::Finished).max_restarts(0)
    };
    runner.register(fails("bad")).unwrap();
    runner.register(Service::new("web", |_| {}).interval("1h").requires("bad")).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    assert_eq!(runner.status()["web"], State::Blocked);
    let report = runner.stop_all();
    let web = report.services.iter().find(|service| service.name == "web").unwrap();
    assert_eq!(web.state, State::Blocked);
    assert!(report.to_string().contains("): blocked"), "{report}");
    assert_eq!(runner.status()["web"], State::Stopped, "it does not start by itself any more");

    World::each(
        || {
            vec![
                fails("bad"),
                Service::new("middle", |_| {}).interval("1h").requires("bad"),
                Service::new("vital", |_| {}).interval("1h").requires("middle").critical(true),
                Service::new("other", sleep_until_stopped),
            ]
        },
        |world| {
            world.expect("other", State::Stopped);
            let report = world.stop_all();
            assert_eq!(report.critical.as_deref(), Some("vital"));
            assert!(
                report
                    .to_string()
                    .contains("shut down because `vital` is critical and could not start"),
                "{report}"
            );
        },
    );
    // One that waits for an operator does not end it.
    World::each(
        || {
            vec![
                Service::new("manual", |_| {}).interval("1h").autostart(false),
                Service::new("vital", |_| {}).interval("1h").requires("manual").critical(true),
                Service::new("other", sleep_until_stopped),
            ]
        },
        |world| {
            world.expect("vital", State::Blocked);
            world.expect("other", State::Running);
            world.start("manual");
            world.expect_that("vital has run", |runner| info(runner, "vital").runs == 1);
        },
    );
}

#[test]
fn rule_32_flow_done_and_restarts_keep_a_service_ready() {
    let mut t = in_virtual_time([
        Service::new(
            "done",
            |ctx: &Context| {
                if ctx.tick().run < 3 { Flow::Wait } else { Flow::Done }
            },
        )
        .interval("1s"),
        Service::new("again", |ctx: &Context| {
            let _ = ctx.sleep(secs(1));
        })
        .restart(Restart::Always)
        .backoff("1s")
        .ready(Ready::Started),
        Service::new("late", |_| {})
            .interval("1h")
            .requires("done")
            .requires("again")
            .autostart(false),
    ]);
    t.advance("1m");
    assert_eq!(t.state("done"), State::Finished);
    t.start("late").unwrap();
    t.advance("0s");
    assert_eq!(t.runs("late"), 1, "{}", t.timeline());
}

fn fails(name: &'static str) -> Service {
    Service::new(name, |_| Err::<(), _>("no")).ready(Ready::Finished).max_restarts(0)
}

#[test]
fn rule_30_and_35_a_start_that_shuts_the_runner_down_starts_nothing_more() {
    for hook in [false, true] {
        let runner = Runner::new();
        let first = Service::new("aaa", |_| {}).interval("1h");
        runner.register(if hook { first.on_stop(|_| {}) } else { first }).unwrap();
        runner.register(fails("bad").autostart(false)).unwrap();
        let vital = Service::new("vital", |_| {}).interval("1h").requires("bad").critical(true);
        runner.register(vital).unwrap();
        runner.register(Service::new("zzz", sleep_until_stopped)).unwrap();
        runner.start("bad").unwrap();
        until("it has failed", || runner.status()["bad"] == State::Failed);
        runner.start_all().unwrap();
        tests::wait(&runner);
        assert_eq!(runner.status()["zzz"], State::Registered);
        assert_eq!(runner.stop_all().critical.as_deref(), Some("vital"));
    }
}

#[test]
fn rule_35_a_critical_service_that_is_blocked_already_ends_the_runner_when_another_one_fails() {
    for through in [false, true] {
        World::each(
            || {
                let between = Service::new("between", |_| {}).interval("1h");
                let vital = Service::new("vital", |_| {}).interval("1h").critical(true);
                let (between, vital) = if through {
                    (between.requires("manual").requires("bad"), vital.requires("between"))
                } else {
                    (between, vital.requires("manual").requires("bad"))
                };
                let manual = Service::new("manual", |_| {}).interval("1h").autostart(false);
                let bad = fails("bad").initial_delay("300ms");
                vec![manual, bad, between, vital, Service::new("other", sleep_until_stopped)]
            },
            |world| {
                world.expect("other", State::Stopped);
                assert_eq!(world.stop_all().critical.as_deref(), Some("vital"));
            },
        );
    }
}

#[test]
fn rule_35_and_43_a_failed_service_whose_clean_up_hangs_has_failed() {
    let (go, gate) = bounded::<()>(0);
    let runner = Runner::new();
    let hangs = move |_: &Context| {
        let _ = gate.recv();
    };
    runner.register(fails("bad").on_stop(hangs).stop_timeout("50ms")).unwrap();
    runner
        .register(Service::new("vital", |_| {}).interval("1h").requires("bad").critical(true))
        .unwrap();
    runner.register(Service::new("other", sleep_until_stopped)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let report = runner.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"), "{report}");
    drop(go);
}

#[test]
fn rule_35_a_report_says_blocked_only_of_services_that_its_shutdown_found_blocked() {
    let runner = Runner::new();
    runner.register(Service::new("manual", |_| {}).interval("1h").autostart(false)).unwrap();
    runner.register(Service::new("web", |_| {}).interval("1h").requires("manual")).unwrap();
    runner.register(Service::new("other", sleep_until_stopped)).unwrap();
    let state_of_web = |report: &StopReport| {
        report.services.iter().find(|service| service.name == "web").unwrap().state
    };
    runner.start_all().unwrap();
    assert_eq!(state_of_web(&runner.stop_all()), State::Blocked);
    runner.start("other").unwrap();
    assert_eq!(state_of_web(&runner.stop_all()), State::Stopped);
}

#[test]
fn rule_41_and_42_blocked_services_are_cleaned_up_before_their_dependencies_stop() {
    let runner = Runner::new();
    let (end, ends) = bounded(3);
    let logs = |service: Service| {
        let end = end.clone();
        service.interval("1h").on_stop(move |ctx: &Context| end.send(ctx.name().to_owned()))
    };
    // The indices are those of the registration, so the dependencies come first.
    runner.register(logs(Service::new("db", |_| {}))).unwrap();
    runner.register(Service::new("manual", |_| {}).interval("1h").autostart(false)).unwrap();
    runner
        .register(logs(Service::new("middle", |_| {}).requires("db").requires("manual")))
        .unwrap();
    runner.register(logs(Service::new("top", |_| {}).requires("middle"))).unwrap();
    runner.start_all().unwrap();
    until("it has run", || info(&runner, "db").runs == 1);
    assert!(runner.stop_all().is_clean());
    assert_eq!(ends.try_iter().collect::<Vec<_>>(), ["top", "middle", "db"]);
}

#[test]
fn rule_43_a_blocked_service_whose_clean_up_hangs_is_abandoned() {
    let (go, gate) = bounded::<()>(0);
    let runner = Runner::new();
    let hangs = move |_: &Context| {
        let _ = gate.recv();
    };
    runner.register(Service::new("manual", |_| {}).interval("1h").autostart(false)).unwrap();
    let web = Service::new("web", |_| {}).interval("1h").requires("manual");
    runner.register(web.on_stop(hangs).stop_timeout("50ms")).unwrap();
    runner.start_all().unwrap();
    let report = runner.stop_all();
    assert_eq!(report.abandoned().count(), 1, "{report}");
    drop(go);
}
