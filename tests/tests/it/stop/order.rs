//! What other supervisors are tested for when things stop: order, crowds, what happens meanwhile.
//! Where each case comes from is in `CASES.md`; the rules one by one are in `stop.rs`, and what
//! needs real threads in `races.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::bounded;
use tests::{millis, secs, staged, within};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Flow, Restart, Runner, Service, StartError, State, Stopped,
};

/// A body that leaves when it is asked to.
fn obedient(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

/// The names of the services to which `wanted` happened, in that order.
fn order(t: &TestRunner, wanted: &Change) -> Vec<String> {
    let events = t.events().into_iter();
    events.filter(|event| event.change == *wanted).map(|event| event.service.into()).collect()
}

/// Begins a run of `name` that takes so much time, whatever it is asked.
fn begin_slow_run(t: &mut TestRunner, name: &str, length: &str) {
    t.slow_next(name, length);
    t.run_now(name).unwrap();
    t.advance("0s");
    assert_eq!(t.state(name), State::Running);
}

#[test]
fn rule_41_services_that_end_by_themselves_meanwhile_keep_their_own_ending() {
    // While `last` lets the shutdown wait for five seconds, each of the first wave ends by itself.
    let ends = |name: &'static str, end: fn() -> Result<Flow, &'static str>| {
        Service::new(name, move |ctx: &Context| {
            if ctx.tick().run == 1 && ctx.sleep(secs(2)) { end() } else { Ok(Flow::Wait) }
        })
        .on_stop(|_| {})
    };
    let names = ["always", "crashes", "done", "fails", "panics", "returns", "stays"];
    let mut t = staged([
        ends("always", || Ok(Flow::Wait)).restart(Restart::Always).backoff("1h").max_backoff("1h"),
        ends("crashes", || Err("no")).backoff("1h").max_backoff("1h"),
        ends("done", || Ok(Flow::Done)),
        ends("fails", || Err("no")).max_restarts(0),
        ends("panics", || panic!("no")).restart(Restart::Never),
        ends("returns", || Ok(Flow::Wait)),
        Service::new("stays", obedient),
        names.into_iter().fold(Service::new("last", |_| {}).interval("1h"), Service::after),
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
    assert_eq!((&*in_order[0], in_order.len()), ("last", 4), "the others were told after it");
    // Who had ended before it was asked to has nothing to say about how long that took.
    let not_asked = report.services.iter().filter(|service| service.took.is_none());
    let not_asked: Vec<_> = not_asked.map(|service| &*service.name).collect();
    assert_eq!(not_asked, ["done", "fails", "panics", "returns"]);
}

#[test]
fn rule_41_a_wave_takes_as_long_as_its_slowest_and_waves_come_one_after_another() {
    let slow = |name: &'static str| Service::new(name, |_| {}).interval("1h").stop_timeout("2s");
    let mut t = staged([slow("base"), slow("a").after("base"), slow("b").after("base"), {
        slow("c").after("base")
    }]);
    t.advance("0s");
    for (name, length) in [("a", "1s"), ("b", "1s"), ("c", "5s"), ("base", "2500ms")] {
        begin_slow_run(&mut t, name, length);
    }
    let report = t.stop_all();
    // Not 1 + 1 + 2: all of the wave were asked at once. `c` took more than it may, and `base` was
    // asked then.
    let ends: Vec<_> = report
        .services
        .iter()
        .map(|service| (&*service.name, service.state, service.took))
        .collect();
    let [stopped, abandoned] = [State::Stopped, State::Abandoned];
    let [a, b] = ["a", "b"].map(|name| (name, stopped, Some(secs(1))));
    let [c, base] = [("c", abandoned, Some(secs(2))), ("base", stopped, Some(millis(500)))];
    assert_eq!(ends, [a, b, c, base]);
    assert_eq!(report.took, millis(2_500));
}

#[test]
fn rule_41_the_order_of_the_stop_is_not_that_of_the_starts() {
    // Names that are in no order, and starts that are in the wrong one.
    let mut t = staged([
        Service::new("ch7", obedient),
        Service::new("ch3", obedient).after("ch7"),
        crash_once("ch10").after("ch3"),
        Service::new("ch2", obedient).after("ch10"),
        Service::new("ch5", obedient).after("ch2"),
    ]);
    let mut reverse = vec!["ch5", "ch2", "ch10", "ch3", "ch7"];
    for name in &reverse {
        t.start(name).unwrap();
        t.advance("1m");
    }
    assert_eq!(order(&t, &Change::Started), reverse);
    assert!(t.stop_all().is_clean());
    assert_eq!(order(&t, &Change::Stopped), reverse);
    // And once more, in order now: a crash in between changes nothing about it.
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

/// The first run of each activation crashes after a while.
fn crash_once(name: &'static str) -> Service {
    Service::new(name, |ctx| {
        if ctx.tick().attempt == 1 && ctx.sleep(secs(1)) {
            return Err("no");
        }
        obedient(ctx);
        Ok(())
    })
}

#[test]
fn rule_41_and_42_hundreds_in_every_state_stop_at_one_instant_and_are_cleaned_up_once() {
    const EACH: usize = 40;
    type Make = fn(&str) -> Service;
    let kinds: [(&str, Make); 9] = [
        ("backing-off", |name| Service::new(name.to_owned(), |_| Err::<(), _>("no"))),
        ("failed", |name| Service::new(name.to_owned(), |_| Err::<(), _>("no")).max_restarts(0)),
        ("finished", |name| Service::new(name.to_owned(), |_| {})),
        ("held", |name| Service::new(name.to_owned(), obedient).after("late")),
        ("idle", |name| Service::new(name.to_owned(), |_| {}).interval("1h")),
        ("paused", |name| Service::new(name.to_owned(), |_| {}).interval("1h")),
        ("registered", |name| Service::new(name.to_owned(), |_| {}).autostart(false)),
        ("running", |name| Service::new(name.to_owned(), obedient)),
        ("unborn", |name| Service::new(name.to_owned(), obedient).initial_delay("1h")),
    ];
    let cleaned = Arc::new(AtomicUsize::new(0));
    let mut services = vec![Service::new("late", obedient).initial_delay("1h")];
    for (kind, make) in kinds {
        services.extend((0..EACH).map(|number| {
            let cleaned = Arc::clone(&cleaned);
            let name = format!("{kind}-{number}");
            make(&name).on_stop(move |_| {
                cleaned.fetch_add(1, Ordering::SeqCst);
            })
        }));
    }
    let mut t = staged(services);
    t.advance("0s");
    for number in 0..EACH {
        t.pause(&format!("paused-{number}")).unwrap();
    }
    assert_eq!(cleaned.load(Ordering::SeqCst), 2 * EACH, "what has failed or finished");
    let report = t.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.services.len(), report.took), (kinds.len() * EACH + 1, secs(0)));
    // Each activation once, also one without a single run; no activation, no clean-up.
    assert_eq!(cleaned.load(Ordering::SeqCst), 8 * EACH);
    for (kind, state) in [
        ("failed", State::Failed),
        ("finished", State::Finished),
        ("registered", State::Registered),
    ] {
        assert_eq!(t.state(&format!("{kind}-0")), state);
    }
    let stopped = t.runner().status().into_values().filter(|state| *state == State::Stopped);
    assert_eq!(stopped.count(), 6 * EACH + 1);
    t.advance("1d");
    assert_eq!(t.runs("held-0") + t.runs("unborn-0") + t.runs("late"), 0);
}

#[test]
fn rule_30_while_everything_stops_nothing_starts() {
    within("a shutdown without an end", || {
        let mut t = staged([Service::new("other", |_| {}).interval("1h")]);
        let (tell, told) = bounded(8);
        let inner = t.runner().clone();
        let late_wishes = move |_: &Context| {
            inner.register(Service::new("new", |_| {}).interval("1h"));
            let start_all: fn(&Runner) -> Result<(), ControlError> =
                |runner| runner.start_all().map(drop).map_err(ControlError::Start);
            for wish in [start_all, |runner| runner.start("new"), |runner| runner.restart("other")]
            {
                // Nobody listens any more when the test is over.
                let _ = tell.send(wish(&inner));
            }
        };
        let first = Service::new("first", obedient).on_stop(late_wishes).after("other");
        t.runner().register(first);
        t.advance("0s");
        let report = t.stop_all();
        assert!(report.is_clean(), "{report}");
        let answers: Vec<_> = told.try_iter().collect();
        assert_eq!(answers.len(), 3);
        for answer in answers {
            assert!(
                matches!(answer, Err(ControlError::Start(StartError::ShuttingDown))),
                "{answer:?}"
            );
        }
        assert_eq!((t.state("new"), t.runs("other")), (State::Registered, 1));
        // It was only refused for as long as that took.
        t.start_all().unwrap();
        t.advance("0s");
        assert_eq!((t.runs("new"), t.runs("other")), (1, 2));
    });
}

#[test]
fn rule_43_while_a_stop_waits_everything_else_goes_on() {
    let mut t = staged([
        Service::new("hung", |_| {}).interval("1d").stop_timeout("10s"),
        Service::new("third", obedient).autostart(false),
    ]);
    let inner = t.runner().clone();
    let nosy = move |_: &Context| {
        inner.start("third")?;
        assert!(inner.is_running("third") && inner.is_running("hung"));
        assert!(matches!(inner.stop("third")?, Stopped::Ended { .. }));
        Ok::<_, ControlError>(())
    };
    t.runner().register(Service::new("nosy", nosy).interval("1s").max_restarts(0));
    t.advance("0s");
    begin_slow_run(&mut t, "hung", "1h");
    let before = (t.runs("nosy"), t.now());
    assert!(matches!(t.stop("hung"), Ok(Stopped::Abandoned { .. })));
    let after = (t.runs("nosy"), t.now());
    assert_eq!(after.1, before.1 + secs(10));
    assert!((9..=10).contains(&(after.0 - before.0)), "{}", t.timeline());
    assert_eq!(t.crashes("nosy"), 0);
}

#[test]
fn rule_43_a_run_that_ends_in_time_after_all_is_stopped_and_may_start_again() {
    let mut t = staged([Service::new("s", |_| {}).interval("1d").stop_timeout("10s")]);
    t.advance("0s");
    for (length, ends) in [("9999ms", true), ("10001ms", false)] {
        begin_slow_run(&mut t, "s", length);
        let stopped = t.stop("s").unwrap();
        assert_eq!(matches!(stopped, Stopped::Ended { .. }), ends, "{length}: {stopped:?}");
        // A millisecond more, and the late one has ended as well.
        t.advance("1ms");
        assert_eq!(t.stop("s").unwrap(), Stopped::NotActive { state: t.state("s") });
        let runs = t.runs("s");
        t.start("s").unwrap();
        t.advance("0s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Waiting, runs + 1), "{length}");
    }
}

#[test]
fn rule_47_of_several_wishes_while_a_run_is_waited_for_the_last_one_counts() {
    let stop = |t: &mut TestRunner| assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    let stop_all = |t: &mut TestRunner| assert!(t.stop_all().is_clean());
    let start = |t: &mut TestRunner| t.start("s").unwrap();
    let restart = |t: &mut TestRunner| t.restart("s").unwrap();
    type Wish = fn(&mut TestRunner);
    let wishes: [(Wish, State, u64); 4] = [
        (stop, State::Stopped, 2),
        (stop_all, State::Stopped, 2),
        (start, State::Waiting, 3),
        (restart, State::Waiting, 3),
    ];
    for (last_wish, state, runs) in wishes {
        let mut t = staged([Service::new("s", |_| {}).interval("1d")]);
        let inner = t.runner().clone();
        let asks = move |_: &Context| inner.restart("s");
        t.runner().register(Service::new("asks", asks).initial_delay("1s").max_restarts(0));
        t.advance("0s");
        begin_slow_run(&mut t, "s", "5s");
        t.advance("2s");
        assert_eq!((t.state("s"), t.state("asks")), (State::Stopping, State::Running));
        last_wish(&mut t);
        t.advance("10s");
        assert_eq!((t.state("s"), t.runs("s")), (state, runs), "{}", t.timeline());
        assert_eq!(t.crashes("asks"), 0);
    }
}
