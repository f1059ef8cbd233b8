//! Rule 185: a change of the schedule.

use crate::{Calendar, Cron, Timezone};

use super::*;

fn interval(seconds: u64) -> Schedule {
    Schedule::Interval(secs(seconds))
}

fn cron(expression: &str) -> Schedule {
    Schedule::Calendar(Calendar::Cron(Cron::parse(expression).unwrap()), Timezone::Local)
}

impl Harness {
    fn reschedule(&mut self, schedule: Schedule) {
        self.spec.schedule = schedule;
        assert_eq!(self.step(Input::Rescheduled), Action::Nothing);
        assert_eq!(self.transitions.last(), Some(&Transition::Rescheduled));
    }

    /// The due times of the next runs, in seconds.
    fn next_runs(&mut self, count: usize) -> Vec<u64> {
        (0..count)
            .map(|_| {
                // The wall clock is read more often than a run begins.
                let due = loop {
                    match self.due() {
                        Action::Run { due, .. } => break due,
                        Action::Nothing => {}
                        action @ (Action::CleanUp | Action::Refused(_)) => panic!("{action:?}"),
                    }
                };
                self.step(SUCCEEDED);
                due / SECOND
            })
            .collect()
    }
}

#[test]
fn rule_185_the_first_due_time_is_one_period_after_the_change_and_none_is_added() {
    let delay = |seconds| Schedule::Delay(secs(seconds));
    for (old, new, expected) in [
        (interval(60), interval(25), [95, 120, 145]),
        // Shorter than the time since the last run: no run is added at once.
        (interval(60), interval(5), [75, 80, 85]),
        (interval(60), interval(3_600), [3_670, 7_270, 10_870]),
        (interval(60), delay(7), [77, 84, 91]),
        (delay(60), interval(7), [77, 84, 91]),
        (interval(60), cron("*/2 * * * *"), [120, 240, 360]),
        (cron("* * * * *"), interval(7), [77, 84, 91]),
        (cron("* * * * *"), cron("*/5 * * * *"), [300, 600, 900]),
    ] {
        let mut harness = Harness::new(Spec { schedule: old, ..Spec::DEFAULT });
        harness.start();
        while harness.now < 60 * SECOND {
            harness.next_runs(1);
        }
        harness.now = 70 * SECOND;
        harness.reschedule(new.clone());
        assert_eq!(harness.next_runs(3), expected, "{new}");
        assert!(!harness.transitions.iter().any(|t| matches!(t, Transition::Skipped { .. })));
    }
}

#[test]
fn rule_185_a_change_on_a_due_time_neither_adds_nor_loses_a_run() {
    for (old, new) in [
        (interval(60), interval(10)),
        (interval(60), cron("*/10 * * * * *")),
        (cron("* * * * *"), interval(10)),
        (cron("* * * * *"), cron("*/10 * * * * *")),
    ] {
        let mut harness = Harness::new(Spec { schedule: old, ..Spec::DEFAULT });
        harness.start();
        harness.next_runs(1);
        let last = harness.lifecycle.run_due() / SECOND;
        harness.now = (last + 60) * SECOND;
        harness.reschedule(new.clone());
        let expected = [last + 60, last + 70, last + 80];
        assert_eq!(harness.next_runs(3), expected, "{new}");
    }
}

#[test]
fn rule_185_a_change_during_a_run_takes_effect_after_it() {
    for (new, expected) in [
        (interval(10), [75, 85]),
        (Schedule::Delay(secs(10)), [82, 92]),
        (cron("*/20 * * * * *"), [80, 100]),
    ] {
        let mut harness = Harness::every(60);
        harness.start();
        harness.next_runs(1);
        assert!(matches!(harness.due(), Action::Run { .. }));
        harness.now = 65 * SECOND;
        harness.reschedule(new.clone());
        harness.take_transitions();
        harness.now = 72 * SECOND;
        harness.step(SUCCEEDED);
        assert_eq!(harness.take_transitions(), [], "nothing was skipped");
        assert_eq!(harness.next_runs(2), expected, "{new}");
    }
}

#[test]
fn rule_185_a_requested_run_a_restart_and_a_pause_survive_a_change() {
    let mut harness = Harness::every(60);
    harness.start();
    harness.next_runs(1);
    harness.now = 10 * SECOND;
    harness.step(Input::RunNow);
    harness.reschedule(interval(30));
    assert_eq!(harness.next_runs(2), [10, 40]);

    harness.due();
    harness.step(crashed());
    let restart = harness.lifecycle.next_run();
    harness.reschedule(interval(5));
    assert_eq!(harness.lifecycle.next_run(), restart, "the backoff continues");
    assert_eq!(harness.state(), State::BackingOff);
    harness.next_runs(1);
    assert_eq!(harness.lifecycle.next_run(), Some(75 * SECOND), "on the new grid");

    harness.now = 74 * SECOND;
    harness.step(Input::Pause);
    harness.now = 500 * SECOND;
    harness.reschedule(interval(100));
    assert_eq!(harness.state(), State::Paused);
    assert_eq!(harness.lifecycle.next_wake_up(), None);
    harness.now = 510 * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.next_runs(2), [600, 700]);
}

#[test]
fn rule_185_a_change_before_the_start_applies_from_the_start() {
    let mut harness = Harness::every(60);
    harness.now = 10 * SECOND;
    harness.reschedule(interval(7));
    assert_eq!(harness.state(), State::Registered);
    assert_eq!(harness.lifecycle.next_wake_up(), None);
    harness.start();
    assert_eq!(harness.next_runs(2), [10, 17]);
    harness.step(Input::Stop { deadline: Nanos::MAX });
    harness.reschedule(interval(3));
    assert_eq!(harness.state(), State::Stopped);
    harness.now = 100 * SECOND;
    harness.start();
    assert_eq!(harness.next_runs(2), [100, 103]);
}

#[test]
fn rule_185_and_32_a_calendar_schedule_makes_it_ready_once_a_run_is_planned() {
    let mut harness = Harness::every(60);
    harness.spec.initial_delay = secs(100);
    harness.start();
    assert!(!harness.lifecycle.readiness().is_ready());
    harness.reschedule(cron("@hourly"));
    assert!(harness.lifecycle.readiness().is_ready());
    harness.reschedule(interval(60));
    assert!(harness.lifecycle.readiness().is_ready(), "readiness survives");
    assert_eq!(harness.next_runs(1), [60]);
}

#[test]
fn rule_185_a_run_after_a_calendar_schedule_has_no_occurrence() {
    let mut harness = Harness::new(Spec { schedule: cron("* * * * *"), ..Spec::DEFAULT });
    harness.start();
    harness.next_runs(1);
    assert_eq!(harness.lifecycle.run_occurrence(), Some(60));
    harness.reschedule(interval(10));
    harness.next_runs(1);
    assert_eq!(harness.lifecycle.run_occurrence(), None);
}
