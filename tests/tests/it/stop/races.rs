//! What other supervisors are tested for where threads, or how many services there are, is the
//! subject: in real time. Where each case comes from is in `CASES.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::bounded;
use tests::{Stopwatch, info, millis, secs, within};
use tina4_service::{Context, Runner, Service, State, Stopped};

/// A body that leaves when it is asked to.
fn obedient(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

#[test]
fn rule_47_a_stop_in_the_middle_of_a_crash_loop_is_the_end_of_it() {
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
fn rule_41_stop_all_right_after_start_all_ends_whatever_had_begun() {
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
                obedient(ctx);
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

/// Costs that grow by the square are ten times as high for each of ten times as many.
#[test]
fn rule_33_and_41_twenty_thousand_that_end_at_once_or_are_stopped_one_by_one_cost_no_more_each() {
    let round = |_| (start_and_end(2_000), start_and_end(20_000));
    let rounds: Vec<_> = (0..3).map(round).collect();
    let few = rounds.iter().map(|(few, _)| few.as_secs_f64() / 2e3).fold(f64::MAX, f64::min);
    let many = rounds.iter().map(|(_, many)| many.as_secs_f64() / 2e4).fold(f64::MAX, f64::min);
    assert!(many < 4.0 * few, "{many} s each, and {few} s of a tenth as many: {rounds:?}");
}

/// How long it takes to start so many that end at once, with as many that are stopped one by one.
fn start_and_end(count: usize) -> Duration {
    let runner = Runner::new();
    for number in 0..count {
        runner.register(Service::new(format!("ends{number}"), |_| {}));
        let stays = Service::new(format!("stays{number}"), |_| {}).interval("1h");
        runner.register(stays.initial_delay("1h"));
    }
    let watch = Stopwatch::start();
    runner.start_all().unwrap();
    for number in 0..count {
        runner.stop(&format!("stays{number}")).unwrap();
    }
    runner.wait();
    let took = watch.elapsed();
    let states = runner.status();
    let of = |wanted| states.values().filter(|state| **state == wanted).count();
    assert_eq!([of(State::Finished), of(State::Stopped)], [count; 2]);
    took
}
