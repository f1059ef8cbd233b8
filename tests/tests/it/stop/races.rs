//! Rules 30, 41 and 47: stop and start at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::bounded;
use tests::{begin_slow_run, in_virtual_time, info, millis, sleep_until_stopped, within};
use tina4_service::testing::TestRunner;
use tina4_service::{Context, ControlError, Runner, Service, StartError, State, Stopped};

#[test]
fn rule_47_concurrent_stops_and_starts_leave_at_most_one_copy() {
    let runner = Runner::new();
    let alive = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&alive), Arc::clone(&most));
    let body = move |ctx: &Context| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        sleep_until_stopped(ctx);
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
fn rule_47_a_stop_ends_a_crash_loop_at_any_moment() {
    within("a loop that goes on for ever", || {
        let runner = Runner::new();
        let inside = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (now, peak) = (Arc::clone(&inside), Arc::clone(&most));
        // Every moment of the loop is met: in the run, in its crash, in the backoff, in the restart.
        let body = move |ctx: &Context| {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let asked = ctx.tick().run.is_multiple_of(3) && !ctx.sleep(millis(1));
            now.fetch_sub(1, Ordering::SeqCst);
            if asked { Ok(()) } else { Err("no") }
        };
        runner.register(Service::new("s", body).backoff("1ms").max_backoff("1ms"));
        for round in 0..300 {
            runner.start("s").unwrap();
            let crashes = info(&runner, "s").crashes + round % 3;
            tests::until("it has crashed", || info(&runner, "s").crashes >= crashes);
            assert!(matches!(runner.stop("s").unwrap(), Stopped::Ended { .. }));
            let known = info(&runner, "s");
            assert_eq!((known.state, inside.load(Ordering::SeqCst)), (State::Stopped, 0));
            assert_eq!(known.next_due, None);
        }
        // Now somebody else restarts it all the while: the last wish counts, whoever it is of.
        let asking = runner.clone();
        let (done, end) = bounded(1);
        tests::spawn(move || {
            for _ in 0..300 {
                asking.restart("s").unwrap();
            }
            done.send(()).unwrap();
        });
        for _ in 0..300 {
            runner.start("s").unwrap();
            runner.stop("s").unwrap();
        }
        assert_eq!(end.recv_timeout(tests::PATIENCE), Ok(()), "all those requests were answered");
        runner.stop("s").unwrap();
        let known = info(&runner, "s");
        assert_eq!((known.state, inside.load(Ordering::SeqCst)), (State::Stopped, 0));
        assert!(runner.stop_all().is_clean());
        assert_eq!(info(&runner, "s").runs, known.runs);
        assert_eq!(most.load(Ordering::SeqCst), 1, "never two");
    });
}

#[test]
fn rule_47_the_last_of_several_requests_during_a_stop_wins() {
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
        let mut t = in_virtual_time([Service::new("s", |_| {}).interval("1d")]);
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

#[test]
fn rule_41_stop_all_right_after_start_all_ends_every_run_that_had_begun() {
    let (begun, cleaned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for round in 0..50 {
        let runner = Runner::new();
        for number in 0..100 {
            let (begun, cleaned) = (Arc::clone(&begun), Arc::clone(&cleaned));
            let body = move |ctx: &Context| {
                begun.fetch_add(1, Ordering::SeqCst);
                let cleaned = Arc::clone(&cleaned);
                ctx.on_stop(move || {
                    cleaned.fetch_add(1, Ordering::SeqCst);
                });
                sleep_until_stopped(ctx);
            };
            let service = Service::new(format!("s{number}"), body);
            let first = format!("s{}", number / 2);
            runner.register(if number % 2 == 1 { service.after(first) } else { service });
        }
        let before = begun.load(Ordering::SeqCst);
        runner.start_all().unwrap();
        if round % 2 == 1 {
            tests::until("one has begun", || begun.load(Ordering::SeqCst) > before);
        }
        let stopper = runner.clone();
        let report = within("stop_all", move || stopper.stop_all());
        assert!(report.is_clean(), "round {round}: {report}");
        let states = runner.status();
        assert!(states.values().all(|state| *state == State::Stopped), "{states:?}");
        let begun = begun.load(Ordering::SeqCst);
        assert_eq!(cleaned.load(Ordering::SeqCst), begun, "round {round}: who began cleaned up");
    }
}

#[test]
fn rule_30_nothing_starts_during_a_shutdown() {
    within("a shutdown without an end", || {
        let mut t = in_virtual_time([Service::new("other", |_| {}).interval("1h")]);
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
        let first = Service::new("first", sleep_until_stopped).on_stop(late_wishes).after("other");
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
fn rule_41_stop_all_may_be_called_repeatedly_and_from_several_threads() {
    let runner = Runner::new();
    runner.register(Service::new("s", sleep_until_stopped));
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
