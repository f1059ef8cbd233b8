//! Runs that are cancelled because they exceed their timeout, while other things happen.

use super::*;
use crate::OnTimeout;

const MILLI: Duration = Duration::from_millis(1);

/// Cancels runs after a millisecond.
fn cancelling(service: Service) -> Service {
    service.timeout(MILLI).on_timeout(OnTimeout::Cancel).backoff(MILLI)
}

/// Checks that a run counts as a crash exactly if it was cancelled and no stop followed. A body that
/// ends only if it is asked to return ends for no other reason: no run sees the request of an
/// earlier one.
fn check_runs(events: &[Event], name: &str, ends_only_if_asked: bool) {
    let (mut cancelled, mut stopping, mut must_crash) = (false, false, false);
    for Event { change, .. } in events.iter().filter(|event| event.service == name) {
        if matches!(change, Change::Skipped { .. }) {
            continue;
        }
        let is_crash = matches!(change, Change::Crashed { .. });
        assert_eq!(is_crash, must_crash, "{name}: {events:#?}");
        must_crash = false;
        if matches!(change, Change::RunBegan { .. }) {
            (cancelled, stopping) = (false, false);
        } else if matches!(change, Change::Stuck { .. }) {
            cancelled = true;
        } else if matches!(change, Change::Stopping) {
            stopping = true;
        } else if matches!(change, Change::RunEnded { .. }) {
            must_crash = cancelled && !stopping;
            assert!(cancelled || stopping || !ends_only_if_asked, "{name}: {events:#?}");
        }
    }
    assert!(!must_crash, "{name}: {events:#?}");
}

#[test]
fn rule_29_and_26_a_cancellation_a_stop_and_the_end_of_a_run_race() {
    explore(|| {
        const NAMES: [&str; 4] = ["obedient", "continuous", "quick", "alive"];
        let mut scenario = Scenario::new();
        let events = scenario.runner.subscribe();
        scenario.add("obedient", until_stopped, |service| cancelling(service).interval(MILLI));
        scenario.add("continuous", until_stopped, cancelling);
        let quick = |_: &Context| yield_now();
        scenario.add("quick", quick, |service| cancelling(service).interval(MILLI));
        let alive = |ctx: &Context| {
            ctx.heartbeat();
            yield_now();
        };
        scenario.add("alive", alive, |service| cancelling(service).interval(MILLI));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|_, clock| {
            for _ in 0..4 {
                clock.advance(MILLI);
                yield_now();
            }
        });
        scenario.spawn(|runner, _| {
            for _ in 0..2 {
                random_request(runner, choose(&NAMES));
            }
        });
        scenario.end();
        let events: Vec<_> = events.try_iter().collect();
        for name in NAMES {
            check_runs(&events, name, ["obedient", "continuous"].contains(&name));
        }
    });
}

/// A cancelled run that waits for the stop of another service stops waiting.
#[test]
fn rule_29_and_46_a_wait_inside_a_run_ends_when_the_run_is_cancelled() {
    explore(|| {
        let mut scenario = Scenario::new();
        let [began, gate]: [Arc<Gate>; 2] = Default::default();
        let (began_in_body, gate_in_body) = (Arc::clone(&began), Arc::clone(&gate));
        let runner = scenario.handle();
        let waits = move |_: &Context| {
            began_in_body.open();
            let stopped = runner().expect("the test has one").stop("stays");
            assert_eq!(stopped.expect("it is known"), Stopped::Requested);
            gate_in_body.open();
        };
        let stays = move |_: &Context| gate.pass();
        scenario.add("stays", stays, |service| service.ready(Ready::Started));
        scenario.add("waits", waits, |service| cancelling(service).after("stays"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(move |_, clock| {
            began.pass();
            clock.advance(MILLI);
        });
        scenario.end();
    });
}
