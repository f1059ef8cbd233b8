//! Rule 41: stop order, and the deadline that all services share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::{
    Ctx, EventWatcher, Hooks, Kind, begin_slow_run, both_kinds, gate, in_virtual_time, millis,
    secs, virtual_time_builder, within,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Flow, Ready, Restart, Runner, Service, State};

both_kinds! {
    rule_41_stop_all_reverses_after_and_asks_each_wave_together,
    rule_41_one_deadline_limits_every_stop_timeout,
    rule_41_all_services_share_the_deadline_of_25_s,
    rule_41_services_that_end_by_themselves_during_a_shutdown_keep_their_own_state,
    rule_41_a_wave_takes_as_long_as_its_slowest_service_and_the_next_one_follows,
    rule_41_the_stop_order_does_not_depend_on_the_order_of_starts,
    rule_41_and_42_hundreds_of_services_in_every_state_stop_together_and_are_cleaned_up_once,
    rule_41_the_report_keeps_the_order_of_simultaneous_ends,
}

/// The services with the change `wanted`, in the order of their events.
fn order(t: &TestRunner, wanted: &Change) -> Vec<String> {
    let events = t.events().into_iter();
    events.filter(|event| event.change == *wanted).map(|event| event.service.into()).collect()
}

fn rule_41_stop_all_reverses_after_and_asks_each_wave_together(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    // Both services of the first wave must be asked before either may end.
    let (web_asked, web) = gate::<()>();
    let (worker_asked, worker) = gate::<()>();
    let until_stopped = |name: &'static str| kind.sleeper(name).ready(Ready::Started);
    runner.register(until_stopped("database")).unwrap();
    runner.register(until_stopped("cache").after("database")).unwrap();
    for (name, asked, other) in [("web", web_asked, worker), ("worker", worker_asked, web)] {
        let body = async move |ctx: Ctx<'_>| {
            ctx.until_stopped().await;
            asked.send(()).unwrap();
            let _ = other.wait(&ctx).await;
        };
        runner.register(kind.waiting(name, body).after("cache")).unwrap();
    }
    runner.start_all().unwrap();
    for name in ["database", "cache", "web", "worker"] {
        watcher.wait_for_run_begin(name);
    }
    let stopper = runner.clone();
    let report = within("stop_all", move || stopper.stop_all());
    assert!(report.is_clean(), "{report}");
    let events = watcher.events();
    let position = |name: &str, change: &Change| {
        events.iter().position(|event| event.service == name && event.change == *change).unwrap()
    };
    for (dependent, base) in [("web", "cache"), ("worker", "cache"), ("cache", "database")] {
        assert!(
            position(dependent, &Change::Stopped) < position(base, &Change::Stopping),
            "{events:#?}"
        );
    }
    let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(names[2..], ["cache", "database"], "in the order of their ends");
}

fn rule_41_one_deadline_limits_every_stop_timeout(kind: Kind) {
    let runner = Runner::builder().only::<&str>([]).shutdown_timeout(millis(100)).build();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    for name in ["one", "two"] {
        let gate = gate.clone();
        let body = async move |ctx: Ctx<'_>| {
            let _ = gate.wait(&ctx).await;
        };
        runner.register(kind.waiting(name, body).stop_timeout("1h")).unwrap();
    }
    runner.start_all().unwrap();
    for name in ["one", "two"] {
        watcher.wait_for_run_begin(name);
    }
    let stopper = runner.clone();
    let report = within("stop_all", move || stopper.stop_all());
    assert_eq!(kind.count_left_behind(&report), 2);
    assert!(report.took >= millis(100), "{report}");
    drop(go);
}

fn rule_41_all_services_share_the_deadline_of_25_s(kind: Kind) {
    let mut test = virtual_time_builder();
    for name in ["a", "b", "c"] {
        let service = kind.service(name, |_| {}).ready(Ready::Started).stop_timeout("1h");
        test = test.service(if name == "c" { service } else { service.after("c") });
    }
    let mut t = test.build().unwrap();
    for name in ["a", "b", "c"] {
        t.slow_next(name, "1d");
    }
    t.advance("1m");
    let before = t.now();
    let report = t.stop_all();
    assert_eq!((report.took, kind.count_left_behind(&report)), (secs(25), 3), "{report}");
    assert_eq!(t.now(), before + secs(25));
}

fn rule_41_services_that_end_by_themselves_during_a_shutdown_keep_their_own_state(kind: Kind) {
    // While `last` delays the shutdown by five seconds, the services of the next wave end by
    // themselves.
    let ends = |name: &'static str, end: fn() -> Result<Flow, &'static str>| {
        kind.waiting(name, async move |ctx: Ctx<'_>| {
            if ctx.tick().run == 1 && ctx.sleep(secs(2)).await { end() } else { Ok(Flow::Wait) }
        })
        .ready(Ready::Started)
        .hook(kind, |_| {})
    };
    let names = ["always", "crashes", "done", "fails", "panics", "returns", "stays"];
    let mut t = in_virtual_time([
        ends("always", || Ok(Flow::Wait)).restart(Restart::Always).backoff("1h").max_backoff("1h"),
        ends("crashes", || Err("no")).backoff("1h").max_backoff("1h"),
        ends("done", || Ok(Flow::Done)),
        ends("fails", || Err("no")).max_restarts(0),
        ends("panics", || panic!("no")).restart(Restart::Never),
        ends("returns", || Ok(Flow::Wait)),
        kind.sleeper("stays").ready(Ready::Started),
        names.into_iter().fold(kind.service("last", |_| {}).interval("1h"), Service::after),
    ]);
    t.advance("1s");
    begin_slow_run(&mut t, "last", "5s");
    let report = t.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.took, secs(5));
    let states = names.map(|name| t.state(name));
    let [failed, finished, stopped] = [State::Failed, State::Finished, State::Stopped];
    assert_eq!(states, [stopped, stopped, finished, failed, failed, finished, stopped]);
    let in_order = order(&t, &Change::Stopped);
    assert_eq!((&*in_order[0], in_order.len()), ("last", 4), "the others were asked after it");
    // A service that ended before it was asked to has no stop time.
    let not_asked = report.services.iter().filter(|service| service.took.is_none());
    let mut not_asked: Vec<_> = not_asked.map(|service| &*service.name).collect();
    if kind == Kind::Async {
        // Timers of tokio that end at the same instant are in no order.
        not_asked.sort_unstable();
    }
    assert_eq!(not_asked, ["done", "fails", "panics", "returns"]);
}

fn rule_41_a_wave_takes_as_long_as_its_slowest_service_and_the_next_one_follows(kind: Kind) {
    let slow = |name: &'static str| kind.service(name, |_| {}).interval("1h").stop_timeout("2s");
    let mut t =
        in_virtual_time([slow("base"), slow("a").after("base"), slow("b").after("base"), {
            slow("c").after("base")
        }]);
    t.advance("0s");
    for (name, length) in [("a", "1s"), ("b", "1s"), ("c", "5s"), ("base", "2500ms")] {
        begin_slow_run(&mut t, name, length);
    }
    let report = t.stop_all();
    // Not 1 + 1 + 2 seconds: the wave was asked together. `c` exceeded its stop timeout, and then
    // `base` was asked.
    let mut ends: Vec<_> = report
        .services
        .iter()
        .map(|service| (&*service.name, service.state, service.took))
        .collect();
    if kind == Kind::Async {
        // Timers of tokio that end at the same instant are in no order.
        ends[..2].sort_unstable_by_key(|(name, ..)| *name);
    }
    let [stopped, left_behind] = [State::Stopped, kind.left_behind()];
    let [a, b] = ["a", "b"].map(|name| (name, stopped, Some(secs(1))));
    let [c, base] = [("c", left_behind, Some(secs(2))), ("base", stopped, Some(millis(500)))];
    assert_eq!(ends, [a, b, c, base]);
    assert_eq!(report.took, millis(2_500));
}

fn rule_41_the_stop_order_does_not_depend_on_the_order_of_starts(kind: Kind) {
    let until_stopped = |name: &'static str| kind.sleeper(name).ready(Ready::Started);
    // The names are in no particular order, and the services are started in the wrong order.
    let mut t = in_virtual_time([
        until_stopped("ch7"),
        until_stopped("ch3").after("ch7"),
        crash_once(kind, "ch10").ready(Ready::Started).after("ch3"),
        until_stopped("ch2").after("ch10"),
        kind.sleeper("ch5").after("ch2"),
    ]);
    let mut reverse = vec!["ch5", "ch2", "ch10", "ch3", "ch7"];
    for name in &reverse {
        t.start(name).unwrap();
        t.advance("1m");
    }
    assert_eq!(order(&t, &Change::Started), reverse);
    assert!(t.stop_all().is_clean());
    assert_eq!(order(&t, &Change::Stopped), reverse);
    // Once more, started in order; crashes and restarts do not change the stop order.
    t.start_all().unwrap();
    t.advance("1h");
    assert_eq!(t.crashes("ch10"), 2);
    t.restart("ch3").unwrap();
    t.advance("1m");
    let before = order(&t, &Change::Stopped).len();
    assert!(t.stop_all().is_clean());
    assert_eq!(order(&t, &Change::Stopped)[before..], reverse);
    reverse.reverse();
    assert_eq!(order(&t, &Change::Started)[5..10], reverse);
}

/// A service whose first run in each activation crashes after a second.
fn crash_once(kind: Kind, name: &'static str) -> Service {
    kind.waiting(name, async |ctx: Ctx<'_>| {
        if ctx.tick().attempt == 1 && ctx.sleep(secs(1)).await {
            return Err("no");
        }
        ctx.until_stopped().await;
        Ok(())
    })
}

fn rule_41_and_42_hundreds_of_services_in_every_state_stop_together_and_are_cleaned_up_once(
    kind: Kind,
) {
    const EACH: usize = 40;
    type Make = fn(Kind, &str) -> Service;
    let states: [(&str, Make); 9] = [
        ("backing-off", |kind, name| kind.service(name.to_owned(), |_| Err::<(), _>("no"))),
        ("failed", |kind, name| {
            kind.service(name.to_owned(), |_| Err::<(), _>("no")).max_restarts(0)
        }),
        ("finished", |kind, name| kind.service(name.to_owned(), |_| {})),
        ("held", |kind, name| kind.sleeper(name.to_owned()).after("late")),
        ("idle", |kind, name| kind.service(name.to_owned(), |_| {}).interval("1h")),
        ("paused", |kind, name| kind.service(name.to_owned(), |_| {}).interval("1h")),
        ("registered", |kind, name| kind.service(name.to_owned(), |_| {}).autostart(false)),
        ("running", |kind, name| kind.sleeper(name.to_owned())),
        ("delayed", |kind, name| kind.sleeper(name.to_owned()).initial_delay("1h")),
    ];
    let cleaned = Arc::new(AtomicUsize::new(0));
    let late = kind.sleeper("late").ready(Ready::Started);
    let mut services = vec![late.initial_delay("1h")];
    for (state, make) in states {
        services.extend((0..EACH).map(|number| {
            let cleaned = Arc::clone(&cleaned);
            let name = format!("{state}-{number}");
            make(kind, &name).hook(kind, move |_| {
                cleaned.fetch_add(1, Ordering::SeqCst);
            })
        }));
    }
    let mut t = in_virtual_time(services);
    t.advance("0s");
    for number in 0..EACH {
        t.pause(&format!("paused-{number}")).unwrap();
    }
    assert_eq!(cleaned.load(Ordering::SeqCst), 2 * EACH, "failed and finished services");
    let report = t.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.services.len(), report.took), (states.len() * EACH + 1, secs(0)));
    // Once per activation, even without a run, and never without an activation.
    assert_eq!(cleaned.load(Ordering::SeqCst), 8 * EACH);
    for (name, state) in [
        ("failed", State::Failed),
        ("finished", State::Finished),
        ("registered", State::Registered),
    ] {
        assert_eq!(t.state(&format!("{name}-0")), state);
    }
    let stopped = t.runner().status().into_values().filter(|state| *state == State::Stopped);
    assert_eq!(stopped.count(), 6 * EACH + 1);
    t.advance("1d");
    assert_eq!(t.runs("held-0") + t.runs("delayed-0") + t.runs("late"), 0);
}

fn rule_41_the_report_keeps_the_order_of_simultaneous_ends(kind: Kind) {
    let mut t =
        in_virtual_time([kind.sleeper("a").ready(Ready::Started), kind.sleeper("b").after("a")]);
    t.advance("0s");
    let report = t.stop_all();
    let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(names, ["b", "a"]);
}
