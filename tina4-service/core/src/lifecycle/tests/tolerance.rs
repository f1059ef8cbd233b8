//! Runs that may begin later than they are due.

use super::cron::cron;
use super::*;

/// A service with this schedule and a tolerance of three seconds, started at 0 and first due at 5.
fn tolerant(schedule: Schedule) -> Harness {
    let mut harness = Harness::new(Spec { schedule, initial_delay: secs(5), ..Spec::DEFAULT });
    harness.tolerance = 3 * SECOND;
    harness.start();
    harness.take_transitions();
    harness
}

fn every_10_s() -> Harness {
    tolerant(Schedule::Interval(secs(10)))
}

impl Harness {
    /// From when on and by when it needs a wake-up, in seconds.
    fn wake_up(&self) -> (u64, u64) {
        let from = self.lifecycle.next_wake_up().expect("it needs a wake-up");
        let by = self.lifecycle.wake_up_by(self.tolerance).expect("the same");
        (from / SECOND, by / SECOND)
    }

    /// Begins a run at `now`; returns its due time and its lateness, in seconds.
    fn begin_at(&mut self, now: u64) -> (u64, u64) {
        self.now = now * SECOND;
        let action = self.step(Input::Due);
        let Action::Run { due, .. } = action else { panic!("{action:?}: {:?}", self.lifecycle) };
        (due / SECOND, self.lifecycle.run_lateness(|| self.tolerance) / SECOND)
    }

    fn end_at(&mut self, now: u64, input: Input<'_>) {
        self.now = now * SECOND;
        self.step(input);
    }
}

#[test]
fn rule_11_a_run_may_begin_up_to_the_tolerance_after_its_due_time() {
    let mut harness = every_10_s();
    assert_eq!(harness.wake_up(), (5, 8));
    harness.now = 5 * SECOND - 1;
    assert_eq!(harness.step(Input::Due), Action::Nothing, "never before it is due");
    assert_eq!(harness.begin_at(7), (5, 0));
    harness.end_at(7, SUCCEEDED);
    assert_eq!(harness.wake_up(), (15, 18), "the grid has not moved");
    assert_eq!(harness.begin_at(19), (15, 1), "the lateness counts from the end of the tolerance");

    let mut harness = tolerant(Schedule::Delay(secs(10)));
    assert_eq!(harness.begin_at(8), (5, 0));
    harness.end_at(9, SUCCEEDED);
    assert_eq!(harness.wake_up(), (19, 22));
}

#[test]
fn rule_11_a_first_run_that_is_due_at_the_start_is_exact() {
    let mut harness = Harness::every(10);
    harness.tolerance = 3 * SECOND;
    harness.start();
    assert_eq!(harness.wake_up(), (0, 0));
    assert_eq!(harness.begin_at(1), (0, 1));
    harness.end_at(1, SUCCEEDED);
    assert_eq!(harness.wake_up(), (10, 13));
}

#[test]
fn rule_11_and_172_a_requested_run_is_exact() {
    let mut harness = every_10_s();
    harness.now = 2 * SECOND;
    harness.step(Input::RunNow);
    assert_eq!(harness.wake_up(), (2, 2));
    assert_eq!(harness.begin_at(3), (2, 1));
    harness.end_at(3, SUCCEEDED);
    assert_eq!(harness.wake_up(), (5, 8));
    // Its due time has passed, but it could have waited.
    harness.now = 6 * SECOND;
    harness.step(Input::RunNow);
    assert_eq!(harness.wake_up(), (5, 5));
    assert_eq!(harness.begin_at(6), (5, 1));
    harness.end_at(6, Input::RunEnded(Exit::Again));
    assert_eq!(harness.wake_up(), (6, 6));
    harness.begin_at(6);
    harness.end_at(6, Input::RunEnded(Exit::After(nanos(secs(2)))));
    assert_eq!(harness.wake_up(), (8, 8));
    // Also when it is paused.
    harness.step(Input::Pause);
    harness.step(Input::RunNow);
    assert_eq!(harness.wake_up(), (6, 6));
    harness.begin_at(6);
    harness.end_at(6, SUCCEEDED);
    harness.step(Input::Resume);
    assert_eq!(harness.wake_up(), (15, 18));
}

#[test]
fn rule_11_restarts_timeouts_and_stop_deadlines_are_exact() {
    let mut harness = every_10_s();
    harness.spec.timeout = Some(secs(4));
    harness.begin_at(5);
    assert_eq!(harness.wake_up(), (9, 9), "its timeout");
    harness.end_at(5, crashed());
    assert_eq!(harness.wake_up(), (6, 6), "its backoff");
    assert_eq!(harness.begin_at(7), (6, 1));
    harness.end_at(7, SUCCEEDED);
    assert_eq!(harness.wake_up(), (15, 18));
    assert_eq!(harness.lifecycle.run_lateness(|| 3 * SECOND), SECOND, "that of the restart");
    harness.begin_at(15);
    harness.step(Input::Stop { deadline: 20 * SECOND });
    assert_eq!(harness.wake_up(), (20, 20), "its deadline");
}

#[test]
fn rule_5_and_11_a_due_time_is_missed_only_once_its_tolerance_has_passed() {
    let mut harness = every_10_s();
    harness.begin_at(8);
    harness.end_at(17, SUCCEEDED);
    assert_eq!(harness.take_transitions(), [], "15 may still run");
    assert_eq!(harness.begin_at(17), (15, 0));
    harness.end_at(29, SUCCEEDED);
    assert_eq!(harness.take_transitions(), [skipped(1, 25)], "25 may not");
    assert_eq!(harness.wake_up(), (35, 38));
    // A run that was missed with all others in between is not made up.
    harness.begin_at(62);
    harness.end_at(62, SUCCEEDED);
    assert_eq!(harness.take_transitions(), [skipped(2, 45)], "45 and 55");
    assert_eq!(harness.wake_up(), (65, 68));
}

#[test]
fn rule_11_and_173_a_run_that_was_due_before_or_during_a_pause_is_not_made_up() {
    let mut harness = every_10_s();
    harness.begin_at(5);
    harness.step(Input::Pause);
    harness.end_at(16, SUCCEEDED);
    assert!(harness.take_transitions().contains(&skipped(1, 15)), "15");
    harness.step(Input::Resume);
    assert_eq!(harness.wake_up(), (25, 28));
    harness.now = 26 * SECOND;
    harness.step(Input::Pause);
    harness.now = 27 * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.wake_up(), (35, 38));
    // One that is due after the pause keeps its tolerance.
    harness.step(Input::Pause);
    harness.step(Input::Resume);
    assert_eq!(harness.wake_up(), (35, 38));
    // 45 passed less than the tolerance ago, but during the pause.
    harness.step(Input::Pause);
    harness.now = 46 * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.wake_up(), (55, 58));
    // One that is due at the end of the pause is exact.
    harness.step(Input::Pause);
    harness.now = 65 * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.wake_up(), (65, 65));
}

#[test]
fn rule_6_and_11_an_occurrence_waits_at_most_until_the_wall_clock_is_read_next() {
    for (expression, tolerance, expected) in [
        ("10 * * * * *", 3, (10, 13)),
        // The wall clock is read at 30 anyway.
        ("10 * * * * *", 50, (10, 30)),
        // That is before the occurrence.
        ("50 * * * * *", 3, (30, 30)),
    ] {
        let mut harness = cron(expression);
        harness.tolerance = tolerance * SECOND;
        assert_eq!(harness.wake_up(), expected, "{expression}");
    }
    let mut harness = cron("10 * * * * *");
    harness.tolerance = 3 * SECOND;
    assert_eq!(harness.begin_at(12), (10, 0));
    assert_eq!(harness.lifecycle.run_occurrence(), Some(10));
    harness.end_at(12, SUCCEEDED);
    assert_eq!(harness.begin_at(75), (70, 2));
}

#[test]
fn rule_11_and_172_run_now_begins_the_run_of_an_occurrence_that_could_wait() {
    let mut harness = cron("10 * * * * *");
    harness.tolerance = 3 * SECOND;
    harness.now = 11 * SECOND;
    harness.step(Input::RunNow);
    assert_eq!(harness.wake_up(), (10, 10));
    assert_eq!(harness.begin_at(11), (10, 1));
    assert_eq!(harness.lifecycle.run_occurrence(), Some(10));
    harness.end_at(11, SUCCEEDED);
    assert_eq!(harness.lifecycle.next_occurrence(), Some((70, 0)));
}
