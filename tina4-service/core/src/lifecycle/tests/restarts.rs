//! Backoff, recovery and the limit of restarts.

use super::*;

#[test]
fn rule_20_restarts_of_an_always_failing_service() {
    let mut life = Life::new(Spec::DEFAULT);
    life.start();
    let mut restarts = Vec::new();
    life.run(0, crashed());
    for _ in 0..8 {
        assert_eq!(life.state(), State::BackingOff);
        let before = life.now;
        life.run(0, crashed());
        restarts.push((life.now - before) / SECOND);
    }
    assert_eq!(restarts, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn rule_21_a_good_run_returns_to_the_grid_and_starts_over() {
    let mut life = Life::every(10);
    life.start();
    assert_eq!(life.run(0, crashed()), 0);
    assert_eq!(life.run(0, crashed()), 1);
    assert_eq!(life.run(0, GOOD), 3);
    assert_eq!(life.life.crashes_in_a_row(), 0);
    assert_eq!(life.run(0, crashed()), 10);
    assert_eq!(life.run(0, GOOD), 11);
}

#[test]
fn rule_21_a_minute_of_running_is_a_recovery_of_a_continuous_service() {
    for (ran, delay) in [(59, 2), (60, 1)] {
        let mut life = Life::new(Spec::DEFAULT);
        life.start();
        life.run(0, crashed());
        life.run(ran * SECOND, crashed());
        let before = life.now;
        life.due();
        assert_eq!((life.now - before) / SECOND, delay, "after {ran} s");
    }
}

fn limited(max: u32) -> Spec {
    let restart = RestartPolicy { max_restarts: Some(max), ..RestartPolicy::DEFAULT };
    Spec { restart, ..Spec::DEFAULT }
}

#[test]
fn rule_22_and_24_after_n_restarts_the_next_crash_is_final() {
    for max in [0, 1, 5] {
        let mut life = Life::new(limited(max));
        life.start();
        for crash in 0..=max {
            life.run(0, crashed());
            let want = if crash < max { State::BackingOff } else { State::Failed };
            assert_eq!(life.state(), want, "crash {crash} of max {max}");
        }
        assert_eq!(life.life.deadline(), None);
        // A new activation counts anew.
        life.start();
        life.run(0, GOOD);
        assert_eq!(life.state(), State::Finished);
    }
}

#[test]
fn restart_always_paces_a_service_that_returns_at_once() {
    let restart =
        RestartPolicy { restart: Restart::Always, max_restarts: Some(2), ..RestartPolicy::DEFAULT };
    let mut life = Life::new(Spec { restart, ..Spec::DEFAULT });
    life.start();
    assert_eq!((0..3).map(|_| life.run(0, GOOD)).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!(life.state(), State::Failed);
}
