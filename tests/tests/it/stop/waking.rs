//! Rules 40, 41, 43, 46, 47: how services stop. Hooks are in `hooks.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::bounded;
use tests::{Stopwatch, Watch, best_of, info, millis, secs, within};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Flow, Runner, Service, State, StopReport, Stopped,
};

/// A body that leaves when it is asked to.
fn obedient(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

/// "Returns in milliseconds": the best of a few rounds, for the machine has other things to do.
const MILLISECONDS: Duration = millis(5);

/// Starts `service`, called `s`, waits until it is in `state`, and measures how long its stop takes.
fn stop_in(state: State, service: impl Fn() -> Service) {
    best_of(5, &format!("stop while {state}"), MILLISECONDS, || {
        let runner = Runner::new();
        runner.register(service());
        runner.start_all().unwrap();
        tests::until("it is there", || runner.status()["s"] == state);
        let watch = Stopwatch::start();
        let stopped = runner.stop("s").unwrap();
        let took = watch.elapsed();
        assert!(matches!(stopped, Stopped::Ended { after } if after <= took), "{stopped:?}");
        assert_eq!(runner.status()["s"], State::Stopped);
        took
    });
}

#[test]
fn rule_40_stop_wakes_every_kind_of_waiting_at_once() {
    let crash = || Service::new("s", |_| Err::<(), _>("no")).backoff("60s");
    stop_in(State::BackingOff, crash);
    stop_in(State::Waiting, || Service::new("s", |_| {}).interval("1h"));
    stop_in(State::Waiting, || Service::new("s", |_| {}).delay("1h"));
    stop_in(State::Waiting, || Service::new("s", |_| {}).initial_delay("1h"));
    stop_in(State::Waiting, || Service::new("s", |_| Flow::After(secs(3_600))));
    stop_in(State::Running, || {
        Service::new("s", |ctx| ctx.sleep(secs(3_600)).then_some(()).ok_or("woken"))
    });
    stop_in(State::Running, || {
        Service::new("s", |ctx| {
            let (_sender, nothing) = bounded::<()>(0);
            crossbeam_channel::select! {
                recv(nothing) -> _ => unreachable!("nobody sends"),
                recv(ctx.stopping()) -> _ => {}
            }
        })
    });
}

/// No time-out is behind it, however short: stop takes no test time.
#[test]
fn rule_40_stop_waits_for_no_time_to_pass() {
    for (state, service) in [
        (State::Running, Service::new("s", obedient)),
        (State::Waiting, Service::new("s", |_| {}).interval("1h")),
        (State::Waiting, Service::new("s", |_| {}).delay("1h")),
        (State::Waiting, Service::new("s", |_| {}).cron("@daily")),
        (State::Waiting, Service::new("s", |_| {}).initial_delay("1h")),
        (State::Waiting, Service::new("s", |_| Flow::After(secs(3_600)))),
        (State::BackingOff, Service::new("s", |_| Err::<(), _>("no")).backoff("60s")),
    ] {
        let test = TestRunner::builder().only::<&str>([]);
        let mut t = test.service(service.on_stop(obedient)).build().unwrap();
        t.advance("59s");
        assert_eq!(t.state("s"), state);
        let before = t.now();
        let stopped = t.stop("s").unwrap();
        assert_eq!(stopped, Stopped::Ended { after: Duration::ZERO }, "{}", t.timeline());
        assert_eq!((t.state("s"), t.now()), (State::Stopped, before));
    }
}

#[test]
fn rule_40_the_run_in_progress_ends_first_and_sees_that_it_shall() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(0);
    let (tell, told) = bounded(2);
    let body = move |ctx: &Context| {
        tell.send(ctx.is_stopping()).unwrap();
        let _ = gate.recv();
        assert!(!ctx.sleep(secs(3_600)), "leave now");
        tell.send(ctx.is_stopping()).unwrap();
    };
    runner.register(Service::new("s", body));
    runner.start_all().unwrap();
    assert!(!told.recv().unwrap());
    let stopper = runner.clone();
    let (answer, answered) = bounded(1);
    tests::spawn(move || answer.send(stopper.stop("s").unwrap()).unwrap());
    watch.change("s", &Change::Stopping);
    assert_eq!(runner.status()["s"], State::Stopping);
    assert!(answered.try_recv().is_err(), "stop waits for the run");
    drop(go);
    assert!(told.recv().unwrap());
    assert!(matches!(answered.recv_timeout(tests::PATIENCE), Ok(Stopped::Ended { .. })));
}

#[test]
fn rule_41_stop_all_goes_in_reverse_of_after_and_a_wave_is_told_at_once() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    // Both of the last wave must have been told before either may leave.
    let both = Arc::new(std::sync::Barrier::new(2));
    runner.register(Service::new("database", obedient));
    runner.register(Service::new("cache", obedient).after("database"));
    for name in ["web", "worker"] {
        let both = Arc::clone(&both);
        let body = move |ctx: &Context| {
            obedient(ctx);
            both.wait();
        };
        runner.register(Service::new(name, body).after("cache"));
    }
    runner.start_all().unwrap();
    for name in ["database", "cache", "web", "worker"] {
        watch.began(name);
    }
    let stopper = runner.clone();
    let report = within("stop_all", move || stopper.stop_all());
    assert!(report.is_clean(), "{report}");
    let events = watch.events();
    let place = |name: &str, change: &Change| {
        events.iter().position(|event| event.service == name && event.change == *change).unwrap()
    };
    for (later, first) in [("web", "cache"), ("worker", "cache"), ("cache", "database")] {
        assert!(place(later, &Change::Stopped) < place(first, &Change::Stopping), "{events:#?}");
    }
    let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(names[2..], ["cache", "database"], "the order in which they ended");
}

/// A body that ignores stop until the gate is opened.
fn stubborn(gate: crossbeam_channel::Receiver<()>) -> impl Fn(&Context) {
    move |_| {
        let _ = gate.recv();
    }
}

#[test]
fn rule_43_what_did_not_stop_is_named_and_the_others_stop_in_order() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(0);
    runner.register(Service::new("database", obedient));
    let line = line!() + 1;
    let stuck = Service::new("stuck", stubborn(gate)).stop_timeout("100ms");
    runner.register(stuck.after("database"));
    runner.register(Service::new("web", obedient).after("stuck"));
    runner.start_all().unwrap();
    for name in ["database", "stuck", "web"] {
        watch.began(name);
    }
    let report = runner.stop_all();
    let named: Vec<_> = report.abandoned().map(|service| service.name.clone()).collect();
    assert_eq!(named, ["stuck"]);
    let stuck = report.abandoned().next().unwrap();
    assert!(stuck.age >= Some(millis(100)), "{stuck:?}");
    assert_eq!((stuck.place.file, stuck.place.line), (file!(), line));
    let text = report.to_string();
    let words = format!("stuck ({}:{line}): abandoned, still running after", file!());
    assert!(text.contains(&words), "{text}");
    let advice = "\n  an abandoned service did not return in time; check `ctx.is_stopping()` in its loop, sleep with `ctx.sleep(..)`, which stop wakes, or give it a longer `stop_timeout`";
    assert!(text.ends_with(advice), "{text}");
    let states = ["database", "stuck", "web"].map(|name| runner.status()[name]);
    assert_eq!(states, [State::Stopped, State::Abandoned, State::Stopped]);
    assert!(!report.is_clean());
    let order: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(order, ["web", "stuck", "database"]);
    drop(go);
    watch.change("stuck", &Change::LateEnd);
}

#[test]
fn rule_41_one_deadline_for_all_whatever_their_own_stop_timeout() {
    let runner = Runner::builder().only::<&str>([]).shutdown_timeout(millis(100)).build();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(0);
    for name in ["one", "two"] {
        runner.register(Service::new(name, stubborn(gate.clone())).stop_timeout("1h"));
    }
    runner.start_all().unwrap();
    for name in ["one", "two"] {
        watch.began(name);
    }
    let stopper = runner.clone();
    let report = within("stop_all", move || stopper.stop_all());
    assert_eq!(report.abandoned().count(), 2);
    assert!(report.took >= millis(100), "{report}");
    drop(go);
}

#[test]
fn rule_43_an_abandoned_run_is_never_called_stopped_nor_started_twice() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(0);
    runner.register(Service::new("s", stubborn(gate)).stop_timeout("20ms"));
    runner.start_all().unwrap();
    watch.began("s");
    let Stopped::Abandoned { age, place } = runner.stop("s").unwrap() else {
        panic!("it cannot stop")
    };
    assert!(age >= millis(20));
    assert_eq!(place.file, file!());
    assert_eq!(runner.status()["s"], State::Abandoned);
    assert!(!info(&runner, "s").is_healthy());
    for refused in [Runner::start, Runner::restart] {
        let error = refused(&runner, "s").expect_err("the old run is alive");
        assert!(matches!(error, ControlError::StillAlive { .. }), "{error}");
        let words = "a second copy is not started; start it again once that run has returned";
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(matches!(runner.stop("s").unwrap(), Stopped::Abandoned { .. }), "still");
    // `start_all` leaves it, and says so.
    runner.start_all().unwrap();
    watch.change("s", &Change::StillAlive);
    assert_eq!(info(&runner, "s").runs, 1);
    drop(go);
    watch.change("s", &Change::LateEnd);
    let known = info(&runner, "s");
    // The late result is dropped: it changes neither state nor counters.
    assert_eq!((known.state, known.last_end), (State::Abandoned, None));
    runner.start("s").unwrap();
    watch.began("s");
    runner.stop_all();
}

#[test]
fn rule_46_stop_all_inside_a_service_marks_returns_and_ends() {
    let runner = Runner::new();
    let (answer, answered) = bounded::<(StopReport, bool)>(1);
    let inner = runner.clone();
    runner.register(Service::new("other", obedient));
    runner.register(Service::new("s", move |ctx| {
        let report = inner.stop_all();
        answer.send((report, ctx.is_stopping())).unwrap();
        // Wakes at once: it was asked to leave.
        obedient(ctx);
    }));
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("everything ends", move || waiter.wait());
    let (report, stopping) = answered.recv().unwrap();
    assert!(report.in_progress && stopping);
    let report = runner.stop_all();
    assert!(report.is_clean(), "{report}");
    assert!(!report.to_string().contains("ctx."), "advice is for those who need it: {report}");
    assert!(runner.status().values().all(|state| *state == State::Stopped));
}

#[test]
fn rule_46_a_service_stops_and_restarts_itself() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let inner = runner.clone();
    let body = move |ctx: &Context| match ctx.tick().run {
        1 => inner.restart("s").map(drop),
        _ => inner.stop("s").map(|stopped| assert_eq!(stopped, Stopped::Requested)),
    };
    runner.register(Service::new("s", body).max_restarts(0));
    runner.start_all().unwrap();
    watch.change("s", &Change::Stopped);
    watch.until("s", |change| matches!(change, Change::RunBegan { run: 2, .. }));
    watch.change("s", &Change::Stopped);
    tests::wait(&runner);
    assert_eq!(runner.status()["s"], State::Stopped);
}

/// Two services whose bodies, or hooks, stop each other; `name` of the other is given.
fn mutual(make: impl Fn(Runner, &'static str) -> Service) {
    let runner = Runner::new();
    runner.register(make(runner.clone(), "right"));
    runner.register(make(runner.clone(), "left"));
    let time = Stopwatch::start();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("both end", move || waiter.wait());
    // Not by way of a stop_timeout of 10 s.
    let states: Vec<_> = runner.status().into_values().collect();
    assert!(!states.contains(&State::Abandoned), "{states:?}");
    assert!(time.elapsed() < secs(5), "{:?}", time.elapsed());
}

/// The one whose other this is.
fn name_for(other: &str) -> &'static str {
    if other == "left" { "right" } else { "left" }
}

#[test]
fn rule_46_two_services_that_stop_each_other_both_end() {
    let meet = Arc::new(std::sync::Barrier::new(2));
    mutual(move |runner, other| {
        let meet = Arc::clone(&meet);
        Service::new(name_for(other), move |_| {
            meet.wait();
            runner.stop(other).unwrap();
        })
    });
}

#[test]
fn rule_46_two_services_that_finish_and_stop_each_other_in_their_hooks_both_end() {
    let meet = Arc::new(std::sync::Barrier::new(2));
    mutual(move |runner, other| {
        let meet = Arc::clone(&meet);
        Service::new(name_for(other), |_| Flow::Done).on_stop(move |_| {
            meet.wait();
            runner.stop(other).map(drop)
        })
    });
}

#[test]
fn rule_47_stop_then_start_gives_exactly_one_copy() {
    let runner = Runner::new();
    let alive = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&alive), Arc::clone(&most));
    let body = move |ctx: &Context| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        obedient(ctx);
        now.fetch_sub(1, Ordering::SeqCst);
    };
    runner.register(Service::new("s", body));
    runner.start_all().unwrap();
    // Three threads at once, in every order there is.
    let threads: Vec<_> = (0..3_usize)
        .map(|thread| {
            let runner = runner.clone();
            let (done, end) = bounded::<()>(0);
            tests::spawn(move || {
                for round in 0..100 {
                    match (thread + round) % 3 {
                        0 => drop(runner.stop("s").unwrap()),
                        1 => runner.start("s").unwrap(),
                        _ => runner.restart("s").unwrap(),
                    }
                }
                drop(done);
            });
            end
        })
        .collect();
    for end in threads {
        let ended = end.recv_timeout(tests::PATIENCE);
        assert_eq!(ended, Err(crossbeam_channel::RecvTimeoutError::Disconnected));
    }
    // Perhaps none: each may have been stopped before it was its turn.
    assert!(most.load(Ordering::SeqCst) <= 1, "never two");
    runner.stop("s").unwrap();
    runner.start("s").unwrap();
    tests::until("it runs", || alive.load(Ordering::SeqCst) == 1);
    assert!(runner.stop_all().is_clean());
    assert_eq!((alive.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn stop_all_may_be_called_again_and_from_several_threads() {
    let runner = Runner::new();
    runner.register(Service::new("s", obedient));
    runner.start_all().unwrap();
    let [one, two] = [runner.clone(), runner.clone()];
    let (answer, answered) = bounded(2);
    let other = answer.clone();
    tests::spawn(move || answer.send(one.stop_all()).unwrap());
    tests::spawn(move || other.send(two.stop_all()).unwrap());
    for _ in 0..2 {
        assert!(answered.recv_timeout(tests::PATIENCE).unwrap().is_clean());
    }
    assert!(runner.stop_all().is_clean());
    assert_eq!(runner.stop("s").unwrap(), Stopped::NotActive { state: State::Stopped });
}
