//! Rules 32, 34 and 35: when a service is ready, and who waits for whom. Most cases run in real time and
//! in virtual time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crossbeam_channel::bounded;
use tests::{
    Ctx, EventWatcher, Hooks, Kind, both_kinds, gate, in_virtual_time, info, secs,
    sleep_until_stopped, until, within,
};
use tina4_service::{
    Change, Context, ControlError, Fault, Flow, Ready, Restart, Runner, Service, StartError, State,
    StopReport, Stopped, service,
};

use super::world::World;

both_kinds! {
    rule_34_a_required_service_that_failed_blocks_until_it_is_started_again_and_ready,
    rule_34_a_required_service_that_was_not_started_or_was_stopped_blocks,
    rule_34_a_required_service_that_crashes_or_is_paused_before_it_is_ready_is_waited_for,
    rule_32_a_restart_of_a_required_service_keeps_its_dependent_waiting,
    rule_32_a_service_is_ready_when_it_says_so,
    rule_32_a_notification_works_in_virtual_time,
    rule_32_wait_ready_returns_as_soon_as_it_would_wait_forever,
    rule_35_blocked_is_not_active_and_a_blocked_critical_service_ends_the_runner,
    rule_32_flow_done_and_restarts_keep_a_service_ready,
    rule_30_and_35_a_start_that_shuts_the_runner_down_starts_nothing_more,
    rule_35_a_critical_service_that_is_blocked_already_ends_the_runner_when_another_one_fails,
    rule_35_and_43_a_failed_service_whose_clean_up_hangs_has_failed,
    rule_35_a_report_says_blocked_only_of_services_that_its_shutdown_found_blocked,
    rule_41_and_42_blocked_services_are_cleaned_up_before_their_dependencies_stop,
    rule_43_a_blocked_service_whose_clean_up_hangs_is_abandoned,
}

/// A required task that has to be done before others start. It fails until it is allowed to succeed.
fn migrations(kind: Kind, allowed: &Arc<Mutex<bool>>) -> Service {
    let allowed = Arc::clone(allowed);
    let body =
        move |_: &Context| if *allowed.lock().unwrap() { Ok(()) } else { Err("no such table") };
    kind.service("migrations", body).ready(Ready::Finished).max_restarts(0)
}

fn web(kind: Kind) -> Service {
    kind.sleeper("web").requires("migrations").ready(Ready::Started)
}

fn rule_34_a_required_service_that_failed_blocks_until_it_is_started_again_and_ready(kind: Kind) {
    let allowed = Arc::new(Mutex::new(false));
    World::each(
        || {
            *allowed.lock().unwrap() = false;
            vec![migrations(kind, &allowed), web(kind)]
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

fn rule_34_a_required_service_that_was_not_started_or_was_stopped_blocks(kind: Kind) {
    let services = || {
        let base = kind.sleeper("base").ready(Ready::Started);
        vec![
            base.autostart(false),
            kind.service("middle", |_| {}).interval("1h").requires("base"),
            kind.service("top", |_| {}).interval("1h").requires("middle"),
            kind.service("lenient", |_| {}).interval("1h").after("base"),
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

fn rule_34_a_required_service_that_crashes_or_is_paused_before_it_is_ready_is_waited_for(
    kind: Kind,
) {
    let crashes = || {
        let body = |ctx: &Context| if ctx.tick().attempt < 3 { Err("no") } else { Ok(()) };
        kind.service("base", body).interval("1h").backoff("1ms")
    };
    let dependents = || {
        vec![
            kind.service("top", |_| {}).interval("1h").requires("base"),
            kind.service("lenient", |_| {}).interval("1h").after("base"),
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
    let paused = || kind.service("base", |_| {}).interval("1h").initial_delay("1h");
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

fn rule_32_a_restart_of_a_required_service_keeps_its_dependent_waiting(kind: Kind) {
    let services = || {
        vec![
            kind.service("base", |_| {}).interval("1h").initial_delay("300ms"),
            kind.service("top", |_| {}).interval("1h").requires("base"),
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

fn rule_32_a_service_is_ready_when_it_says_so(kind: Kind) {
    let (say, heard) = gate::<()>();
    let runner = Runner::new();
    let body = async move |ctx: Ctx<'_>| {
        let _ = heard.wait(&ctx).await;
        ctx.ready();
        ctx.ready();
        ctx.until_stopped().await;
    };
    runner.register(kind.waiting("cache", body).ready(Ready::Notified)).unwrap();
    runner.register(kind.service("web", |_| {}).interval("1h").requires("cache")).unwrap();
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

fn rule_32_a_notification_works_in_virtual_time(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(secs(5)).await;
        ctx.ready();
        ctx.until_stopped().await;
    };
    let mut t = in_virtual_time([
        kind.waiting("cache", body).ready(Ready::Notified),
        kind.service("web", |_| {}).interval("1h").requires("cache"),
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

fn rule_32_wait_ready_returns_as_soon_as_it_would_wait_forever(kind: Kind) {
    let runner = Runner::new();
    runner.register(kind.service("idle", |_| {}).interval("1h").autostart(false)).unwrap();
    runner.register(kind.service("once", |_| {}).ready(Ready::Notified)).unwrap();
    let slow = async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(secs(3_600)).await;
    };
    runner.register(kind.waiting("slow", slow).ready(Ready::Finished).max_restarts(0)).unwrap();
    let inner = runner.clone();
    let (answer, answers) = bounded(2);
    let waits = move |ctx: &Context| {
        let _ = answer.send(inner.wait_ready(ctx.name()));
        let _ = answer.send(inner.wait_ready("slow"));
    };
    runner.register(kind.service("waits", waits).ready(Ready::Notified)).unwrap();
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

fn rule_35_blocked_is_not_active_and_a_blocked_critical_service_ends_the_runner(kind: Kind) {
    let runner = Runner::new();
    let fails = |name: &'static str| {
        kind.service(name, |_| Err::<(), _>("no")).ready(Ready::Finished).max_restarts(0)
    };
    runner.register(fails("bad")).unwrap();
    runner.register(kind.service("web", |_| {}).interval("1h").requires("bad")).unwrap();
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
                kind.service("middle", |_| {}).interval("1h").requires("bad"),
                kind.service("vital", |_| {}).interval("1h").requires("middle").critical(true),
                kind.sleeper("other"),
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
                kind.service("manual", |_| {}).interval("1h").autostart(false),
                kind.service("vital", |_| {}).interval("1h").requires("manual").critical(true),
                kind.sleeper("other"),
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

fn rule_32_flow_done_and_restarts_keep_a_service_ready(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service(
            "done",
            |ctx: &Context| {
                if ctx.tick().run < 3 { Flow::Wait } else { Flow::Done }
            },
        )
        .interval("1s"),
        kind.waiting("again", async |ctx: Ctx<'_>| {
            let _ = ctx.sleep(secs(1)).await;
        })
        .restart(Restart::Always)
        .backoff("1s")
        .ready(Ready::Started),
        kind.service("late", |_| {})
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

fn fails(kind: Kind, name: &'static str) -> Service {
    kind.service(name, |_| Err::<(), _>("no")).ready(Ready::Finished).max_restarts(0)
}

fn rule_30_and_35_a_start_that_shuts_the_runner_down_starts_nothing_more(kind: Kind) {
    for hook in [false, true] {
        let runner = Runner::new();
        let first = kind.service("aaa", |_| {}).interval("1h");
        runner.register(if hook { first.hook(kind, |_| {}) } else { first }).unwrap();
        runner.register(fails(kind, "bad").autostart(false)).unwrap();
        let vital = kind.service("vital", |_| {}).interval("1h").requires("bad").critical(true);
        runner.register(vital).unwrap();
        runner.register(kind.sleeper("zzz")).unwrap();
        runner.start("bad").unwrap();
        until("it has failed", || runner.status()["bad"] == State::Failed);
        runner.start_all().unwrap();
        tests::wait(&runner);
        assert_eq!(runner.status()["zzz"], State::Registered);
        assert_eq!(runner.stop_all().critical.as_deref(), Some("vital"));
    }
}

fn rule_35_a_critical_service_that_is_blocked_already_ends_the_runner_when_another_one_fails(
    kind: Kind,
) {
    for through in [false, true] {
        World::each(
            || {
                let between = kind.service("between", |_| {}).interval("1h");
                let vital = kind.service("vital", |_| {}).interval("1h").critical(true);
                let (between, vital) = if through {
                    (between.requires("manual").requires("bad"), vital.requires("between"))
                } else {
                    (between, vital.requires("manual").requires("bad"))
                };
                let manual = kind.service("manual", |_| {}).interval("1h").autostart(false);
                let bad = fails(kind, "bad").initial_delay("300ms");
                vec![manual, bad, between, vital, kind.sleeper("other")]
            },
            |world| {
                world.expect("other", State::Stopped);
                assert_eq!(world.stop_all().critical.as_deref(), Some("vital"));
            },
        );
    }
}

fn rule_35_and_43_a_failed_service_whose_clean_up_hangs_has_failed(kind: Kind) {
    let (go, gate) = gate::<()>();
    let runner = Runner::new();
    let hangs = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner.register(fails(kind, "bad").waiting_hook(kind, hangs).stop_timeout("50ms")).unwrap();
    runner
        .register(kind.service("vital", |_| {}).interval("1h").requires("bad").critical(true))
        .unwrap();
    runner.register(kind.sleeper("other")).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let report = runner.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"), "{report}");
    drop(go);
}

fn rule_35_a_report_says_blocked_only_of_services_that_its_shutdown_found_blocked(kind: Kind) {
    let runner = Runner::new();
    runner.register(kind.service("manual", |_| {}).interval("1h").autostart(false)).unwrap();
    runner.register(kind.service("web", |_| {}).interval("1h").requires("manual")).unwrap();
    runner.register(kind.sleeper("other")).unwrap();
    let state_of_web = |report: &StopReport| {
        report.services.iter().find(|service| service.name == "web").unwrap().state
    };
    runner.start_all().unwrap();
    assert_eq!(state_of_web(&runner.stop_all()), State::Blocked);
    runner.start("other").unwrap();
    assert_eq!(state_of_web(&runner.stop_all()), State::Stopped);
}

fn rule_41_and_42_blocked_services_are_cleaned_up_before_their_dependencies_stop(kind: Kind) {
    let runner = Runner::new();
    let (end, ends) = bounded(3);
    let logs = |service: Service| {
        let end = end.clone();
        service.interval("1h").hook(kind, move |ctx: &Context| end.send(ctx.name().to_owned()))
    };
    // The indices are those of the registration, so the dependencies come first.
    runner.register(logs(kind.service("db", |_| {}))).unwrap();
    runner.register(kind.service("manual", |_| {}).interval("1h").autostart(false)).unwrap();
    runner
        .register(logs(kind.service("middle", |_| {}).requires("db").requires("manual")))
        .unwrap();
    runner.register(logs(kind.service("top", |_| {}).requires("middle"))).unwrap();
    runner.start_all().unwrap();
    until("it has run", || info(&runner, "db").runs == 1);
    assert!(runner.stop_all().is_clean());
    assert_eq!(ends.try_iter().collect::<Vec<_>>(), ["top", "middle", "db"]);
}

fn rule_43_a_blocked_service_whose_clean_up_hangs_is_abandoned(kind: Kind) {
    let (go, gate) = gate::<()>();
    let runner = Runner::new();
    let hangs = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner.register(kind.service("manual", |_| {}).interval("1h").autostart(false)).unwrap();
    let web = kind.service("web", |_| {}).interval("1h").requires("manual");
    runner.register(web.waiting_hook(kind, hangs).stop_timeout("50ms")).unwrap();
    runner.start_all().unwrap();
    let report = runner.stop_all();
    assert_eq!(report.abandoned().count(), 1, "{report}");
    drop(go);
}
