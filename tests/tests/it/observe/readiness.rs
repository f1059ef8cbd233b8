//! Rule 112: what a program answers to probes.

use tests::{Ctx, Kind, begin_slow_run, both_kinds, in_virtual_time, secs, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{Fault, HealthStatus, Ready, Runner, Service, Settings, StartError};

both_kinds! {
    rule_112_a_start_waits_for_first_runs_and_what_comes_before_them,
    rule_112_a_start_does_not_wait_for_a_time,
    rule_112_no_failure_keeps_a_program_from_becoming_ready,
    rule_112_once_ready_a_program_stays_ready_until_it_stops,
    rule_112_readiness_does_not_depend_on_when_somebody_asks,
    rule_112_a_service_that_says_when_it_is_ready_holds_up_the_start_although_it_crashes,
    rule_112_what_is_disabled_stopped_or_paused_does_not_matter,
    rule_112_a_program_is_not_ready_without_what_it_needs,
    rule_112_and_32_a_service_that_is_needed_must_be_ready_itself,
    rule_112_health_is_a_word_and_what_is_wrong,
}

/// What the program waits for: `name: why`, separated by `; `.
#[track_caller]
fn waits_for(t: &TestRunner) -> String {
    let readiness = t.runner().readiness();
    let list = readiness.waiting_for.iter().map(|of| format!("{}: {}", of.name, of.why));
    let list = list.collect::<Vec<_>>().join("; ");
    assert_eq!(readiness.is_ready, list.is_empty() && readiness.runner.is_none());
    assert!(t.runner().is_live());
    readiness.runner.map_or(list, |reason| format!("runner: {reason}"))
}

/// A runner that has not started, in virtual time.
fn not_started(services: impl IntoIterator<Item = Service>) -> TestRunner {
    let builder =
        services.into_iter().fold(virtual_time_builder(), |b, service| b.service(service));
    builder.build().unwrap()
}

fn rule_112_a_start_waits_for_first_runs_and_what_comes_before_them(kind: Kind) {
    let slow = |name: &'static str| {
        kind.waiting(name, async |ctx: Ctx<'_>| {
            ctx.sleep(secs(10)).await;
        })
    };
    let notified = kind.waiting("cache", async |ctx: Ctx<'_>| {
        ctx.sleep(secs(30)).await;
        ctx.ready();
        ctx.until_stopped().await;
    });
    let mut t = not_started([
        slow("migrations").ready(Ready::Finished),
        kind.service("web", |_| {}).interval("1h").after("migrations"),
        kind.sleeper("metrics"),
        notified.ready(Ready::Notified),
    ]);
    let none = "cache: it has not been started; metrics: it has not been started; \
                migrations: it has not been started; web: it has not been started";
    assert_eq!(waits_for(&t), none);
    t.start_all().unwrap();
    t.advance("5s");
    assert_eq!(
        waits_for(&t),
        "cache: it has not said that it is ready; migrations: its first run is in progress; \
         web: it waits for `migrations`"
    );
    t.advance("10s");
    assert_eq!(waits_for(&t), "cache: it has not said that it is ready");
    t.advance("20s");
    assert_eq!(waits_for(&t), "");
}

fn rule_112_a_start_does_not_wait_for_a_time(kind: Kind) {
    let slow = |name: &'static str| {
        kind.waiting(name, async |ctx: Ctx<'_>| {
            ctx.sleep(secs(60)).await;
        })
    };
    let mut t = in_virtual_time([
        slow("cron").cron("0 * * * *").ready(Ready::Notified),
        slow("anchored").interval("1h").anchor("00:00").timezone("UTC").ready(Ready::Notified),
        slow("delayed").interval("2h").initial_delay("10m"),
        slow("continuous").initial_delay("10m").ready(Ready::Finished),
        slow("jittered").interval("2h").jitter("30m"),
        // It keeps the program from becoming ready, so that each answer looks at all services.
        kind.sleeper("never").ready(Ready::Notified),
    ]);
    let never = "never: it has not said that it is ready";
    for minute in 0..90 {
        t.advance("0s");
        assert_eq!(waits_for(&t), never, "after {minute} minutes\n{}", t.timeline());
        t.advance("1m");
    }
}

fn rule_112_no_failure_keeps_a_program_from_becoming_ready(kind: Kind) {
    let fails = |name: &'static str| kind.service(name, |_| Err::<(), _>("no"));
    let mut t = in_virtual_time([
        fails("failed").max_restarts(0),
        fails("retried").interval("1h").backoff("1m"),
        kind.service("after", |_| {}).interval("1h").after("retried"),
    ]);
    t.advance("1s");
    assert_eq!(waits_for(&t), "");
    // The failure of what another one requires does: the program has never worked.
    let mut t = in_virtual_time([
        fails("migrations").max_restarts(0).ready(Ready::Finished),
        kind.sleeper("web").requires("migrations"),
    ]);
    t.advance("1s");
    assert_eq!(waits_for(&t), "web: it is blocked: `migrations` is failed");
}

fn rule_112_once_ready_a_program_stays_ready_until_it_stops(kind: Kind) {
    let slow = |name: &'static str| {
        kind.waiting(name, async |ctx: Ctx<'_>| {
            ctx.sleep(secs(10)).await;
        })
    };
    let mut t = in_virtual_time([slow("first").interval("1h")]);
    t.advance("1s");
    assert_eq!(waits_for(&t), "first: its first run is in progress");
    t.advance("10s");
    assert_eq!(waits_for(&t), "");
    t.restart("first").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "", "a restart takes no program out");
    t.runner().register(slow("later").interval("1h")).unwrap();
    t.start("later").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "", "nor does a service that was added");
    t.stop_all();
    assert_eq!(waits_for(&t), "runner: it has been stopped");
    t.start_all().unwrap();
    t.advance("1s");
    assert_eq!(
        waits_for(&t),
        "first: its first run is in progress; later: its first run is in progress"
    );
    t.advance("10s");
    assert_eq!(waits_for(&t), "");
    // The failure of a critical service stops the runner.
    let critical = kind.service("vital", |_| Err::<(), _>("no")).critical(true).max_restarts(0);
    let mut t = in_virtual_time([critical, slow("other").interval("1h")]);
    t.advance("1s");
    assert_ne!(waits_for(&t), "");
}

fn rule_112_readiness_does_not_depend_on_when_somebody_asks(kind: Kind) {
    let slow = |name: &'static str| {
        kind.waiting(name, async |ctx: Ctx<'_>| {
            ctx.sleep(secs(10)).await;
        })
    };
    // Nobody asks before the restart, the registration and the start by name.
    let mut t = in_virtual_time([slow("first").interval("1h")]);
    t.advance("11s");
    t.restart("first").unwrap();
    t.runner().register(slow("later").interval("1h")).unwrap();
    assert_eq!(waits_for(&t), "");
    t.start("later").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "");
    // Nor after another start.
    t.stop_all();
    t.start_all().unwrap();
    t.advance("11s");
    t.restart("later").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "");
    // A start that consists of several services is not over between two of them.
    let mut t = in_virtual_time([
        kind.service("cron", |_| {}).cron("0 * * * *").timezone("UTC"),
        slow("slow").interval("1h"),
    ]);
    for _ in 0..2 {
        t.advance("1s");
        assert_eq!(waits_for(&t), "slow: its first run is in progress");
        t.stop_all();
        t.start_all().unwrap();
    }
    // A service that does not start by itself is not waited for, and neither is one that has been removed.
    let mut t = in_virtual_time([slow("manual").interval("1h").autostart(false)]);
    t.start_all().unwrap();
    t.runner().register(slow("removed").interval("1h")).unwrap();
    t.start("manual").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "", "the start was over before it was added");
    let mut t = not_started([slow("manual").interval("1h").autostart(false)]);
    t.runner().register(slow("removed").interval("1h")).unwrap();
    t.start("manual").unwrap();
    assert_eq!(waits_for(&t), "removed: it has not been started");
    let _ = t.unregister("removed").unwrap();
    assert_eq!(waits_for(&t), "");
    // A service that says when it is ready does so in a later run; meanwhile it waits for its schedule.
    let mut t = in_virtual_time([slow("silent").interval("1m").ready(Ready::Notified)]);
    for _ in 0..3 {
        t.advance("1s");
        assert_eq!(waits_for(&t), "silent: it has not said that it is ready");
        t.advance("20s");
        assert_eq!(waits_for(&t), "");
        t.advance("45s");
        assert_eq!(waits_for(&t), "", "its later runs do not matter");
        t.stop_all();
        t.start_all().unwrap();
    }
}

/// One that does not say so holds it up until its first run has ended, well or not.
fn rule_112_a_service_that_says_when_it_is_ready_holds_up_the_start_although_it_crashes(
    kind: Kind,
) {
    for ready in [Ready::Notified, Ready::Finished] {
        // It becomes ready in its third run.
        let body = |ctx: &tina4_service::Context| match ctx.tick().run {
            ..3 => Err("no"),
            _ => {
                ctx.ready();
                Ok(())
            }
        };
        let cache = kind.service("cache", body).ready(ready).backoff("1m").max_backoff("1m");
        let mut t = in_virtual_time([cache]);
        for _ in 0..2 {
            t.advance("30s");
            assert_eq!(waits_for(&t), "cache: it has crashed, and is not ready yet", "{ready:?}");
            t.advance("30s");
        }
        t.advance("30s");
        assert_eq!(waits_for(&t), "", "{ready:?}");
        // Once it has failed for good, the program is ready without it.
        let fails = kind.service("cache", |_| Err::<(), _>("no")).max_restarts(1);
        let mut t = in_virtual_time([fails.ready(ready).backoff("1m").max_backoff("1m")]);
        t.advance("30s");
        assert_eq!(waits_for(&t), "cache: it has crashed, and is not ready yet", "{ready:?}");
        t.advance("1m");
        assert_eq!(waits_for(&t), "", "{ready:?}");
    }
}

fn rule_112_what_is_disabled_stopped_or_paused_does_not_matter(kind: Kind) {
    let names = ["paused", "stopped", "off", "manual"];
    for is_needed in [false, true] {
        let mut builder = virtual_time_builder().settings(Settings::new().disable("off"));
        for name in names {
            let service = kind.waiting(name, async |ctx: Ctx<'_>| {
                ctx.sleep(secs(3_600)).await;
            });
            let service = service.interval("2h").autostart(name != "manual");
            builder = builder.service(service.stop_timeout("2h"));
        }
        if is_needed {
            builder = builder.ready_needs(["all", "!manual"]);
        }
        let mut t = builder.build().unwrap();
        t.start_all().unwrap();
        t.advance("1s");
        assert_eq!(
            waits_for(&t),
            "paused: its first run is in progress; stopped: its first run is in progress"
        );
        t.stop("stopped").unwrap();
        t.stop("paused").unwrap();
        assert_eq!(waits_for(&t), "", "needed: {is_needed}");
        // One that is paused before it was ready.
        let mut builder = virtual_time_builder();
        let crashes = kind
            .service("paused", |_| Err::<(), _>("no"))
            .interval("1h")
            .backoff("1h")
            .max_backoff("1h");
        builder = builder.service(crashes);
        if is_needed {
            builder = builder.ready_needs(["paused"]);
        }
        let mut t = builder.build().unwrap();
        t.start_all().unwrap();
        t.advance("1s");
        t.pause("paused").unwrap();
        assert_eq!(waits_for(&t), "", "needed: {is_needed}");
    }
}

fn rule_112_a_program_is_not_ready_without_what_it_needs(kind: Kind) {
    let body = |ctx: &tina4_service::Context| match ctx.tick().run {
        2.. => Err("no"),
        _ => Ok(()),
    };
    let orders = kind.service("orders", body).interval("1h").max_restarts(1);
    let orders = orders.backoff("10m").max_backoff("10m");
    let manual = kind.service("manual", |_| {}).interval("1h").autostart(false).tags(["orders"]);
    let other = kind.service("other", |_| Err::<(), _>("no")).max_restarts(0);
    let builder = virtual_time_builder().ready_needs(["tag:orders"]);
    let mut t =
        builder.service(orders.tags(["orders"])).service(manual).service(other).build().unwrap();
    t.start_all().unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "manual: it has not been started");
    t.start("manual").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "");
    // It crashes, and is restarted once; then it has failed.
    t.advance("1h");
    assert_eq!((t.crashes("orders"), waits_for(&t)), (1, String::new()));
    t.advance("10m");
    assert_eq!(waits_for(&t), "orders: it has failed");
    t.reset("orders").unwrap();
    assert_eq!(waits_for(&t), "", "it counts as stopped");
    t.start("orders").unwrap();
    t.advance("1s");
    assert_eq!(waits_for(&t), "orders: it has crashed, and is not ready yet");
    // One that was abandoned.
    if kind == Kind::Plain {
        let service = kind.service("s", |_| {}).interval("1h").stop_timeout("1s");
        let mut t = virtual_time_builder().service(service).ready_needs(["s"]).build().unwrap();
        t.start_all().unwrap();
        t.advance("1s");
        begin_slow_run(&mut t, "s", "10m");
        t.stop("s").unwrap();
        assert_eq!(waits_for(&t), "s: it was abandoned");
    }
}

fn rule_112_and_32_a_service_that_is_needed_must_be_ready_itself(kind: Kind) {
    let slow = |name: &'static str| {
        kind.waiting(name, async |ctx: Ctx<'_>| {
            ctx.sleep(secs(10)).await;
        })
    };
    // Its initial delay is no excuse, unlike that of others; but one with a calendar schedule is ready once planned.
    let builder = virtual_time_builder().ready_needs(["delayed", "cron"]);
    let delayed = slow("delayed").interval("1h").initial_delay("1m");
    let cron = slow("cron").cron("0 * * * *").timezone("UTC");
    let other = slow("other").interval("1h").initial_delay("10m");
    let mut t = builder.service(delayed).service(cron).service(other).build().unwrap();
    t.start_all().unwrap();
    t.advance("30s");
    assert_eq!(waits_for(&t), "delayed: its first run has not begun");
    t.advance("35s");
    assert_eq!(waits_for(&t), "delayed: its first run is in progress");
    t.advance("10s");
    assert_eq!(waits_for(&t), "");
    // A restart makes it unready until it is ready again.
    t.restart("delayed").unwrap();
    assert_eq!(waits_for(&t), "delayed: its first run has not begun");
    t.advance("65s");
    assert_eq!(waits_for(&t), "delayed: its first run is in progress");
    t.advance("10s");
    assert_eq!(waits_for(&t), "");
}

fn rule_112_health_is_a_word_and_what_is_wrong(kind: Kind) {
    let body = |ctx: &tina4_service::Context| match ctx.tick().run {
        2.. => Err("the secret text of an error"),
        _ => Ok(()),
    };
    let crashes = kind.service("crashes", body).interval("1h").backoff("1m").max_backoff("1m");
    let fails = kind.service("fails", body).interval("3h").max_restarts(0);
    let stuck = kind.sleeper("stuck").timeout("5h");
    let mut t = in_virtual_time([crashes, fails, stuck]);
    let health = |t: &TestRunner| {
        let health = t.runner().health();
        assert_eq!(health.status.is_up(), health.status != HealthStatus::Down);
        health.to_string()
    };
    t.advance("1s");
    assert_eq!(health(&t), "ok\n");
    t.advance("1h 1m");
    assert_eq!(health(&t), "ok\n", "two crashes are no reason for an alarm");
    t.advance("2m");
    assert_eq!(health(&t), "degraded\ncrashes: it has crashed 4 times in a row\n");
    t.advance("5h");
    assert_eq!(
        health(&t),
        "degraded\ncrashes: it has crashed 304 times in a row\nfails: it has failed\n\
         stuck: its run exceeds its timeout\n"
    );
    t.pause("crashes").unwrap();
    t.stop("stuck").unwrap();
    t.reset("fails").unwrap();
    assert_eq!(health(&t), "ok\n", "somebody has paused, stopped and reset them");
    t.stop_all();
    assert_eq!(health(&t), "down\nthe runner: it has been stopped\n");
    // A service that is overdue before it is unhealthy.
    let rare = kind.service("rare", body).interval("1h").backoff("6h").max_backoff("6h");
    let mut t = in_virtual_time([rare]);
    t.advance("3h");
    assert_eq!(health(&t), "degraded\nrare: it has been overdue for 1h\n");
}

#[test]
fn rule_112_and_102_a_word_in_ready_needs_that_matches_nothing_is_a_fault() {
    let runner = |needs: &[&str]| {
        let builder = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]);
        let runner = builder.ready_needs(needs.iter().copied()).build();
        runner.register(Service::new("orders", |_| {}).interval("1h").tags(["mail"])).unwrap();
        runner
    };
    for good in [&["orders"][..], &["tag:mail"], &["all"], &["all", "!orders"]] {
        runner(good).check().unwrap();
    }
    for (word, expected) in [
        (
            "order",
            "`ready_needs` names `order`, but there is no such service; did you mean `orders`?",
        ),
        (
            "tag:mai",
            "`ready_needs` names `tag:mai`, but no service has that tag; did you mean `tag:mail`?",
        ),
        (
            "mail",
            "`ready_needs` names `mail`, but there is no such service; did you mean `tag:mail`?",
        ),
        (
            "a b",
            "`ready_needs`: `a b`: a name cannot contain spaces; use ASCII letters, digits, `_`, `-` and `.`",
        ),
    ] {
        let Err(StartError::Faults(faults)) = runner(&[word]).check() else { panic!("{word}") };
        let faults: Vec<_> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(faults, [expected]);
    }
    // A declared service that runs elsewhere is not needed here, and no fault.
    let builder = Runner::builder().only(["none"]).ready_needs(["heartbeat"]);
    let runner = builder.env_vars::<&str, &str>([]).build();
    runner.register(Service::new("heartbeat", |_| {}).interval("1h").initial_delay("1h")).unwrap();
    runner.check().unwrap();
}

#[test]
fn rule_112_and_82_the_answer_names_a_hundred_services_at_most() {
    let runner = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).build();
    for number in 0..250 {
        runner.register(Service::new(format!("s{number:03}"), |_| {}).interval("1h")).unwrap();
    }
    let readiness = runner.readiness();
    assert_eq!((readiness.waiting_for.len(), readiness.omitted), (100, 150));
    let text = readiness.to_string();
    assert!(text.starts_with("[+]runner ok\n[-]s000 failed: it has not been started\n"), "{text}");
    assert!(text.ends_with("[-]and 150 more\nreadyz check failed\n"), "{text}");
    // And all of them are looked at, although that takes several steps.
    let failing = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).build();
    for number in 0..1_200 {
        let service = Service::new(format!("s{number:04}"), |_| Err::<(), _>("no"));
        failing.register(service.max_restarts(0)).unwrap();
    }
    failing.start_all().unwrap();
    tests::wait(&failing);
    let health = failing.health();
    assert_eq!((health.unhealthy.len(), health.omitted), (100, 1_100));
    assert_eq!(health.unhealthy[99].name, "s0099");
}

/// The engine's lock is held meanwhile, so the answer must not describe each of a hundred thousand services.
#[test]
fn rule_112_and_82_the_cost_of_an_answer_does_not_grow_with_what_the_program_waits_for() {
    let runner = |count: u32| {
        let builder = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]);
        let runner = builder.ready_needs(["tag:needed"]).build();
        for number in 0..count {
            let service = Service::new(format!("s{number}"), |_| {}).interval("1h");
            let service = if number % 2 == 0 { service.tags(["needed"]) } else { service };
            runner.register(service).unwrap();
        }
        runner
    };
    let (few, many) = (runner(100), runner(40_000));
    assert_eq!(many.readiness().omitted, 39_900);
    let best = |runner: &Runner| {
        let measure = |_| {
            let stopwatch = tests::Stopwatch::start();
            std::hint::black_box(runner.readiness());
            stopwatch.elapsed()
        };
        (0..50).map(measure).min().unwrap()
    };
    // The answer about 40,000 services describes 100 of them, too. To describe all would take 400 times as long.
    let (few, many) = (best(&few), best(&many));
    assert!(many < 200 * few, "{many:?} for 40,000 services, and {few:?} for 100");
}
