//! Backoff, recovery and the restart limit.

use super::*;

#[test]
fn rule_20_the_backoff_doubles_up_to_its_maximum() {
    let mut harness = Harness::new(Spec::DEFAULT);
    harness.start();
    let mut restarts = Vec::new();
    harness.run(0, crashed());
    for _ in 0..8 {
        assert_eq!(harness.state(), State::BackingOff);
        let before = harness.now;
        harness.run(0, crashed());
        restarts.push((harness.now - before) / SECOND);
    }
    assert_eq!(restarts, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn rule_21_a_successful_run_returns_to_the_grid_and_resets_the_backoff() {
    let mut harness = Harness::every(10);
    harness.start();
    assert_eq!(harness.run(0, crashed()), 0);
    assert_eq!(harness.run(0, crashed()), 1);
    let recovered = |harness: &mut Harness| -> Vec<_> {
        let is_recovery = |t: &Transition| matches!(t, Transition::Recovered { .. });
        harness.take_transitions().into_iter().filter(is_recovery).collect()
    };
    assert_eq!(recovered(&mut harness), []);
    assert_eq!(harness.run(0, SUCCEEDED), 3);
    assert_eq!(recovered(&mut harness), [Transition::Recovered { crashes: 2 }]);
    assert_eq!(harness.lifecycle.consecutive_crashes(), 0);
    assert_eq!(harness.run(0, crashed()), 10);
    assert_eq!(harness.run(0, SUCCEEDED), 11);
    assert_eq!(recovered(&mut harness), [Transition::Recovered { crashes: 1 }]);
    assert_eq!(harness.run(0, SUCCEEDED), 20);
    assert_eq!(recovered(&mut harness), [], "it had recovered before");
}

#[test]
fn rule_21_a_continuous_service_recovers_after_running_for_a_minute() {
    for (ran, delay) in [(59, 2), (60, 1)] {
        let mut harness = Harness::new(Spec::DEFAULT);
        harness.start();
        harness.run(0, crashed());
        harness.run(ran * SECOND, crashed());
        let before = harness.now;
        harness.due();
        assert_eq!((harness.now - before) / SECOND, delay, "after {ran} s");
    }
}

fn limited(max: u32) -> Spec {
    let restart_policy = RestartPolicy { max_restarts: Some(max), ..RestartPolicy::DEFAULT };
    Spec { restart_policy, ..Spec::DEFAULT }
}

#[test]
fn rule_22_and_24_after_n_restarts_the_next_crash_is_final() {
    for max in [0, 1, 5] {
        let mut harness = Harness::new(limited(max));
        harness.start();
        for crash in 0..=max {
            harness.run(0, crashed());
            let want = if crash < max { State::BackingOff } else { State::Failed };
            assert_eq!(harness.state(), want, "crash {crash} of max {max}");
        }
        assert_eq!(harness.lifecycle.next_wake_up(), None);
        // A new activation counts from zero.
        harness.start();
        harness.run(0, SUCCEEDED);
        assert_eq!(harness.state(), State::Finished);
    }
}

#[test]
fn with_restart_always_a_service_that_returns_immediately_is_restarted_with_backoff() {
    let restart_policy =
        RestartPolicy { restart: Restart::Always, max_restarts: Some(2), ..RestartPolicy::DEFAULT };
    let mut harness = Harness::new(Spec { restart_policy, ..Spec::DEFAULT });
    harness.start();
    assert_eq!((0..3).map(|_| harness.run(0, SUCCEEDED)).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!(harness.state(), State::Failed);
}
