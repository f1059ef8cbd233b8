//! Rules 30, 41 and 47: concurrent requests to stop and to start.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::bounded;
use tests::{Ctx, Hooks, Kind, begin_slow_run, both_kinds, in_virtual_time, info, millis, within};
use tina4_service::testing::TestRunner;
use tina4_service::{ControlError, Ready, Runner, StartError, State, Stopped};

both_kinds! {
    rule_47_concurrent_stops_and_starts_leave_at_most_one_copy,
    rule_47_a_stop_ends_a_crash_loop_at_any_moment,
    rule_47_the_last_of_several_requests_during_a_stop_wins,
    rule_41_stop_all_right_after_start_all_ends_every_run_that_had_begun,
    rule_30_nothing_starts_during_a_shutdown,
    rule_41_stop_all_may_be_called_repeatedly_and_from_several_threads,
}

fn rule_47_concurrent_stops_and_starts_leave_at_most_one_copy(kind: Kind) {
    let runner = Runner::new();
    let alive = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&alive), Arc::clone(&most));
    let body = async move |ctx: Ctx<'_>| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        ctx.until_stopped().await;
        now.fetch_sub(1, Ordering::SeqCst);
    };
    runner.register(kind.waiting("s", body)).unwrap();
    runner.start_all().unwrap();
    // Three threads repeat the three requests in parallel, each starting with a different one.
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
        let ended = end.recv_timeout(tests::TIMEOUT);
        assert_eq!(ended, Err(crossbeam_channel::RecvTimeoutError::Disconnected));
    }
    // Possibly none: each may have been stopped before its first run.
    assert!(most.load(Ordering::SeqCst) <= 1, "never two copies");
    runner.stop("s").unwrap();
    runner.start("s").unwrap();
    tests::until("it runs", || alive.load(Ordering::SeqCst) == 1);
    assert!(runner.stop_all().is_clean());
    assert_eq!((alive.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 1));
}

fn rule_47_a_stop_ends_a_crash_loop_at_any_moment(kind: Kind) {
    within("a crash loop without end", move || {
        let runner = Runner::new();
        let inside = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (now, peak) = (Arc::clone(&inside), Arc::clone(&most));
        // A stop is requested at every point of the loop: in a run, a crash, a backoff, a restart.
        let body = async move |ctx: Ctx<'_>| {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let asked = ctx.tick().run.is_multiple_of(3) && !ctx.sleep(millis(1)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            if asked { Ok(()) } else { Err("no") }
        };
        runner.register(kind.waiting("s", body).backoff("1ms").max_backoff("1ms")).unwrap();
        for round in 0..300 {
            runner.start("s").unwrap();
            let crashes = info(&runner, "s").crashes + round % 3;
            tests::until("it has crashed", || info(&runner, "s").crashes >= crashes);
            assert!(matches!(runner.stop("s").unwrap(), Stopped::Ended { .. }));
            let service = info(&runner, "s");
            assert_eq!((service.state, inside.load(Ordering::SeqCst)), (State::Stopped, 0));
            assert_eq!(service.next_due, None);
        }
        // Now another thread restarts it continuously; the last request wins.
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
        assert_eq!(end.recv_timeout(tests::TIMEOUT), Ok(()), "every request was answered");
        runner.stop("s").unwrap();
        let service = info(&runner, "s");
        assert_eq!((service.state, inside.load(Ordering::SeqCst)), (State::Stopped, 0));
        assert!(runner.stop_all().is_clean());
        assert_eq!(info(&runner, "s").runs, service.runs);
        assert_eq!(most.load(Ordering::SeqCst), 1, "never two copies");
    });
}

fn rule_47_the_last_of_several_requests_during_a_stop_wins(kind: Kind) {
    let stop = |t: &mut TestRunner| assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    let stop_all = |t: &mut TestRunner| assert!(t.stop_all().is_clean());
    let start = |t: &mut TestRunner| t.start("s").unwrap();
    let restart = |t: &mut TestRunner| t.restart("s").unwrap();
    type Request = fn(&mut TestRunner);
    let requests: [(Request, State, u64); 4] = [
        (stop, State::Stopped, 2),
        (stop_all, State::Stopped, 2),
        (start, State::Waiting, 3),
        (restart, State::Waiting, 3),
    ];
    for (last_request, state, runs) in requests {
        let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1d")]);
        let inner = t.runner().clone();
        let asks = async move |ctx: Ctx<'_>| ctx.restart(&inner, "s").await;
        t.runner()
            .register(kind.waiting("asks", asks).initial_delay("1s").max_restarts(0))
            .unwrap();
        t.advance("0s");
        begin_slow_run(&mut t, "s", "5s");
        t.advance("2s");
        assert_eq!((t.state("s"), t.state("asks")), (State::Stopping, State::Running));
        last_request(&mut t);
        t.advance("10s");
        assert_eq!((t.state("s"), t.runs("s")), (state, runs), "{}", t.timeline());
        assert_eq!(t.crashes("asks"), 0);
    }
}

fn rule_41_stop_all_right_after_start_all_ends_every_run_that_had_begun(kind: Kind) {
    let (begun, cleaned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for round in 0..50 {
        let runner = Runner::new();
        for number in 0..100 {
            let (begun, cleaned) = (Arc::clone(&begun), Arc::clone(&cleaned));
            let body = async move |ctx: Ctx<'_>| {
                begun.fetch_add(1, Ordering::SeqCst);
                let cleaned = Arc::clone(&cleaned);
                ctx.on_stop(move || {
                    cleaned.fetch_add(1, Ordering::SeqCst);
                });
                ctx.until_stopped().await;
            };
            let service = kind.waiting(format!("s{number}"), body).ready(Ready::Started);
            let first = format!("s{}", number / 2);
            runner.register(if number % 2 == 1 { service.after(first) } else { service }).unwrap();
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
        assert_eq!(
            cleaned.load(Ordering::SeqCst),
            begun,
            "round {round}: every run that began was cleaned up"
        );
    }
}

fn rule_30_nothing_starts_during_a_shutdown(kind: Kind) {
    within("a shutdown that never ends", move || {
        let mut t = in_virtual_time([kind.service("other", |_| {}).interval("1h")]);
        let (answer, answers) = bounded(8);
        let inner = t.runner().clone();
        let late_requests = async move |ctx: Ctx<'_>| {
            inner.register(kind.service("new", |_| {}).interval("1h")).unwrap();
            for refused in [
                inner.start_all().map(drop).map_err(ControlError::Start),
                inner.start("new"),
                ctx.restart(&inner, "other").await,
            ] {
                // There is no receiver when the test is over.
                let _ = answer.send(refused);
            }
        };
        let first = kind.sleeper("first").waiting_hook(kind, late_requests).after("other");
        t.runner().register(first).unwrap();
        t.advance("0s");
        let report = t.stop_all();
        assert!(report.is_clean(), "{report}");
        let answers: Vec<_> = answers.try_iter().collect();
        assert_eq!(answers.len(), 3);
        for answer in answers {
            assert!(
                matches!(answer, Err(ControlError::Start(StartError::ShuttingDown))),
                "{answer:?}"
            );
        }
        assert_eq!((t.state("new"), t.runs("other")), (State::Registered, 1));
        // Starts were refused during the shutdown only.
        t.start_all().unwrap();
        t.advance("0s");
        assert_eq!((t.runs("new"), t.runs("other")), (1, 2));
    });
}

fn rule_41_stop_all_may_be_called_repeatedly_and_from_several_threads(kind: Kind) {
    let runner = Runner::new();
    runner.register(kind.sleeper("s")).unwrap();
    runner.start_all().unwrap();
    let [one, two] = [runner.clone(), runner.clone()];
    let (answer, answered) = bounded(2);
    let other = answer.clone();
    tests::spawn(move || answer.send(one.stop_all()).unwrap());
    tests::spawn(move || other.send(two.stop_all()).unwrap());
    for _ in 0..2 {
        assert!(answered.recv_timeout(tests::TIMEOUT).unwrap().is_clean());
    }
    assert!(runner.stop_all().is_clean());
    assert_eq!(runner.stop("s").unwrap(), Stopped::NotActive { state: State::Stopped });
}
