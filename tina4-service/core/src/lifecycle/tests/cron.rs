//! Cron schedules while the wall clock is set and the machine is suspended.

use crate::{Cron, Timezone};

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// A service with a cron schedule, started at 00:00:00.5 on 1970-01-01.
fn cron(expression: &str) -> Life {
    let expression = Cron::parse(expression).unwrap();
    let schedule = Schedule::Cron(expression, Timezone::Local);
    let mut life = Life::new(Spec { schedule, ..Spec::DEFAULT });
    life.now = SECOND / 2;
    life.start();
    life.take_transitions();
    life
}

impl Life {
    /// Advances until a run begins; returns its occurrence in seconds.
    fn run_for(&mut self) -> u64 {
        for _ in 0..100_000 {
            match self.due() {
                Action::Run { .. } => {
                    return self
                        .life
                        .run_occurrence()
                        .expect("a run for an occurrence")
                        .cast_unsigned();
                }
                Action::Nothing => {}
                action @ (Action::CleanUp | Action::Refused(_)) => panic!("{action:?}"),
            }
        }
        panic!("no run: {:?}", self.life)
    }

    /// Suspends the machine: only the wall clock advances.
    fn suspend(&mut self, seconds: u64) {
        self.ahead += WallNanos::from(nanos(secs(seconds)));
    }

    fn set_back(&mut self, seconds: u64) {
        self.ahead -= WallNanos::from(nanos(secs(seconds)));
    }
}

#[test]
fn rule_3_and_32_the_first_run_is_at_the_next_occurrence_and_the_service_is_ready_before() {
    let mut life = cron("0 8 * * *");
    assert_eq!(life.state(), State::Waiting);
    assert!(!life.life.is_starting());
    assert_eq!(life.life.next_occurrence(), Some((8 * 3_600, 0)));
    assert_eq!(life.run_for(), 8 * HOUR);
    assert_eq!(life.now, 8 * HOUR * SECOND, "exactly on time");
    life.step(GOOD);
    assert_eq!(life.run_for(), DAY + 8 * HOUR);
}

#[test]
fn rule_6_it_reads_the_wall_clock_every_30_s() {
    let mut life = cron("0 8 * * *");
    let mut last = life.now;
    for _ in 0..100 {
        life.due();
        assert!(life.now - last <= 30 * SECOND);
        last = life.now;
    }
}

#[test]
fn rule_5_and_6_an_occurrence_missed_in_a_suspend_runs_up_to_a_minute_late() {
    // It reads the wall clock 30 s after the start; the machine was suspended before that.
    for (suspended, want) in [
        (HOUR - 10, Some(20 * SECOND)),
        (HOUR + 30, Some(60 * SECOND)),
        (HOUR + 31, None),
        (5 * HOUR, None),
    ] {
        let mut life = cron("0 1 * * *");
        life.suspend(suspended);
        life.now = 30 * SECOND;
        let wall = life.now + nanos(secs(suspended));
        match (life.step(Input::Due), want) {
            (Action::Run { .. }, Some(late)) => {
                assert_eq!(life.life.run_occurrence(), Some(HOUR.cast_signed()));
                assert_eq!(wall - HOUR * SECOND, late);
                assert_eq!(life.take_transitions(), []);
                life.step(GOOD);
            }
            (Action::Nothing, None) => {
                assert_eq!(life.take_transitions(), [Transition::Skipped(1)])
            }
            (action, _) => panic!("{suspended}: {action:?}"),
        }
        assert_eq!(
            life.life.next_occurrence(),
            Some(((DAY + HOUR).cast_signed(), 0)),
            "{suspended}"
        );
    }
}

#[test]
fn rule_5_lateness_is_counted_from_the_occurrence() {
    let mut life = cron("0 1 * * *");
    life.now = 1_000 * SECOND;
    life.suspend(HOUR - 1_000 + 10);
    let Action::Run { due, .. } = life.step(Input::Due) else { panic!("{:?}", life.life) };
    assert_eq!(life.now - due, 10 * SECOND);
}

#[test]
fn rule_5_if_several_occurrences_passed_only_the_last_one_runs() {
    let mut life = cron("* * * * *");
    life.suspend(10 * MINUTE);
    // After 30 s it is 00:10:30: only the tenth minute runs.
    assert_eq!(life.run_for(), 10 * MINUTE);
    assert_eq!(life.take_transitions(), [Transition::Skipped(9)]);
    life.step(GOOD);
    assert_eq!(life.run_for(), 11 * MINUTE);
}

#[test]
fn rule_5_a_long_run_is_followed_by_the_last_occurrence_during_it() {
    let mut life = cron("* * * * *");
    assert_eq!(life.run_for(), MINUTE);
    // It ends at 00:04:10: 00:04 was ten seconds ago; 00:02 and 00:03 are skipped.
    life.now += 190 * SECOND;
    life.step(GOOD);
    assert_eq!(life.run_for(), 4 * MINUTE);
    assert_eq!(life.now, 250 * SECOND, "immediately");
    assert_eq!(life.take_transitions(), [Transition::Skipped(2)]);
    // A daily run that takes a day and two minutes is too late for the next occurrence.
    let mut life = cron("0 0 * * *");
    assert_eq!(life.run_for(), DAY);
    life.now += (DAY + 2 * MINUTE) * SECOND;
    life.step(GOOD);
    assert_eq!(life.run_for(), 3 * DAY);
    assert_eq!(life.take_transitions(), [Transition::Skipped(1)]);
}

#[test]
fn rule_6_a_clock_set_forward_skips_and_counts() {
    let mut life = cron("0 8 * * *");
    life.suspend(8 * HOUR - 20);
    // At 30 s it is 08:00:10.
    assert_eq!(life.run_for(), 8 * HOUR);
    // A machine without a battery boots in 1970 and learns the date: nothing runs late, everything
    // is counted.
    let mut life = cron("0 8 * * *");
    life.suspend(20_000 * DAY + 12 * HOUR);
    assert_eq!(life.run_for(), 20_001 * DAY + 8 * HOUR);
    assert_eq!(life.take_transitions(), [Transition::Skipped(20_001)]);
}

#[test]
fn rule_6_a_clock_set_back_runs_nothing_twice() {
    // A fixed time that ran does not run again if the correction is at most three hours.
    let mut life = cron("0 8 * * *");
    assert_eq!(life.run_for(), 8 * HOUR);
    life.step(GOOD);
    life.set_back(2 * HOUR);
    assert_eq!(life.run_for(), DAY + 8 * HOUR);
    // After a larger correction the clock counts as it is now.
    life.step(GOOD);
    life.set_back(10 * HOUR);
    assert_eq!(life.run_for(), DAY + 8 * HOUR);
    // From the year 2100 back to now.
    let mut life = cron("0 8 * * *");
    life.suspend(47_482 * DAY);
    life.due();
    life.set_back(47_482 * DAY);
    assert_eq!(life.run_for(), 8 * HOUR);
}

#[test]
fn rule_6_a_recurring_expression_runs_again_when_the_clock_is_set_back() {
    let mut life = cron("* * * * *");
    assert_eq!(life.run_for(), MINUTE);
    life.step(GOOD);
    // By half a minute: within the grace period, so the minute that ran does not run again.
    life.set_back(30);
    assert_eq!(life.run_for(), 2 * MINUTE);
    life.step(GOOD);
    // By five minutes: it does not stay silent until they have passed again.
    life.now += 10 * 60 * SECOND;
    assert_eq!(life.run_for(), 12 * MINUTE);
    life.step(GOOD);
    life.set_back(5 * MINUTE);
    assert_eq!(life.run_for(), 8 * MINUTE);
}

#[test]
fn rule_9_jitter_delays_the_run_but_not_the_occurrence() {
    let cron = Cron::parse("*/5 * * * *").unwrap();
    let schedule = Schedule::Cron(cron, Timezone::Local);
    let mut life = Life::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    life.random = 90 * SECOND;
    life.start();
    for minute in [5, 10, 15] {
        assert_eq!(life.run_for(), minute * MINUTE);
        assert_eq!(life.now, (minute * MINUTE + 90) * SECOND);
        life.step(GOOD);
    }
}

#[test]
fn runs_for_no_occurrence_handle_those_that_passed() {
    let mut life = cron("*/10 * * * *");
    // A run on request does not change the schedule.
    assert_eq!(life.step(Input::RunNow), Action::Nothing);
    assert!(matches!(life.due(), Action::Run { .. }));
    assert_eq!(life.life.run_occurrence(), None);
    life.step(GOOD);
    assert_eq!(life.run_for(), 10 * MINUTE);
    // A delay that the run asks for drops the occurrences during it.
    life.step(Input::Ended(Exit::After(nanos(secs(25 * MINUTE)))));
    assert!(matches!(life.due(), Action::Run { .. }));
    assert_eq!(life.life.run_occurrence(), None);
    assert_eq!(life.now, 35 * MINUTE * SECOND);
    life.step(GOOD);
    assert_eq!(life.run_for(), 40 * MINUTE);
    // So does a backoff,
    assert_eq!(life.step(crashed()), Action::Nothing);
    assert!(matches!(life.due(), Action::Run { attempt: 2, .. }));
    assert_eq!(life.life.run_occurrence(), None);
    life.step(GOOD);
    assert_eq!(life.run_for(), 50 * MINUTE);
    life.step(GOOD);
    // and so does a pause.
    life.step(Input::Pause);
    life.now = 75 * MINUTE * SECOND;
    life.take_transitions();
    life.step(Input::Resume);
    assert_eq!(life.run_for(), 80 * MINUTE);
    assert_eq!(life.take_transitions(), [Transition::Resumed]);
}

#[test]
fn a_pause_that_ends_before_the_occurrence_changes_nothing() {
    let mut life = cron("*/10 * * * *");
    life.step(Input::Pause);
    life.now = 9 * MINUTE * SECOND;
    life.step(Input::Resume);
    assert_eq!(life.run_for(), 10 * MINUTE);
}

#[test]
fn rule_6_a_skipped_occurrence_runs_when_the_clock_is_set_back_before_it() {
    // Skipped because the clock was wrong; once it is corrected, the real eight o'clock runs.
    let mut life = cron("0 8 * * *");
    life.now = 7 * HOUR * SECOND;
    life.step(Input::Due);
    life.suspend(2 * HOUR + 1_800);
    life.now += 300 * SECOND;
    assert_eq!(life.step(Input::Due), Action::Nothing);
    assert_eq!(life.take_transitions(), [Transition::Skipped(1)]);
    life.set_back(2 * HOUR + 1_800);
    assert_eq!(life.run_for(), 8 * HOUR);
    // Started while the clock was two hours ahead.
    let mut life = cron("0 8 * * *");
    life.step(Input::Stop { deadline: 0 });
    life.now = 7 * HOUR * SECOND;
    life.suspend(2 * HOUR);
    life.start();
    life.set_back(2 * HOUR);
    assert_eq!(life.run_for(), 8 * HOUR);
}

#[test]
fn rule_5_occurrences_missed_during_a_run_are_counted_whatever_it_returns() {
    for (end, pause) in [
        (crashed(), false),
        (Input::Ended(Exit::Again), false),
        (Input::Ended(Exit::After(nanos(secs(7)))), false),
        (GOOD, true),
    ] {
        let mut life = cron("* * * * *");
        assert_eq!(life.run_for(), MINUTE);
        if pause {
            life.step(Input::Pause);
        }
        life.now += 210 * SECOND;
        life.take_transitions();
        life.step(end);
        assert!(life.take_transitions().contains(&Transition::Skipped(3)), "{end:?}");
    }
}

#[test]
fn a_requested_run_that_is_paused_is_dropped() {
    let mut life = cron("*/10 * * * *");
    life.step(Input::RunNow);
    life.step(Input::Pause);
    life.now = 610 * SECOND;
    life.step(Input::Resume);
    assert_eq!(life.run_for(), 20 * MINUTE);
}

#[test]
fn rule_82_an_absurd_wall_clock_does_not_stop_a_service() {
    // Before the year 1677, after 2262, and beyond the supported range.
    for wall in [-(1_i128 << 64), 1 << 63, 1 << 66, 1 << 100] {
        let mut life = cron("0 8 * * *");
        life.ahead = wall;
        for _ in 0..5 {
            life.due();
        }
        // Once the clock is corrected, the service continues.
        life.ahead = 0;
        let now = life.now / SECOND;
        assert!(life.run_for() > now, "{wall}");
    }
}

#[test]
fn the_next_occurrence_comes_with_its_jitter() {
    let cron = Cron::parse("0 8 * * *").unwrap();
    let schedule = Schedule::Cron(cron, Timezone::Local);
    let mut life = Life::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    life.random = 90 * SECOND;
    life.start();
    let eight = (8 * HOUR).cast_signed();
    assert_eq!(life.life.next_occurrence(), Some((eight, 90 * SECOND)));
}
