//! Calendar schedules when the wall clock is set or the machine is suspended.

use crate::{Anchor, Anchored, Calendar, Cron, Timezone};

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// A service with a cron schedule, started at 00:00:00.5 on 1970-01-01.
pub(super) fn cron(expression: &str) -> Harness {
    started(Calendar::Cron(Cron::parse(expression).unwrap()))
}

/// A service with an anchored interval, started at the same time.
fn anchored(period: u64, anchor: &str) -> Harness {
    let anchor = Anchor::parse(anchor).unwrap();
    started(Calendar::Anchored(Anchored::new(secs(period), anchor).unwrap()))
}

fn started(calendar: Calendar) -> Harness {
    let schedule = Schedule::Calendar(calendar, Timezone::Local);
    let mut harness = Harness::new(Spec { schedule, ..Spec::DEFAULT });
    harness.now = SECOND / 2;
    harness.start();
    harness.take_transitions();
    harness
}

impl Harness {
    /// Advances until a run begins; returns its occurrence in seconds.
    fn run_next_occurrence(&mut self) -> u64 {
        for _ in 0..100_000 {
            match self.due() {
                Action::Run { .. } => {
                    return self
                        .lifecycle
                        .run_occurrence()
                        .expect("a run for an occurrence")
                        .cast_unsigned();
                }
                Action::Nothing => {}
                action @ (Action::CleanUp | Action::Refused(_)) => panic!("{action:?}"),
            }
        }
        panic!("no run: {:?}", self.lifecycle)
    }

    /// Advances only the wall clock, as setting it forward or suspending the machine does.
    fn advance_wall_clock(&mut self, seconds: u64) {
        self.ahead += WallNanos::from(nanos(secs(seconds)));
    }

    fn set_wall_clock_back(&mut self, seconds: u64) {
        self.ahead -= WallNanos::from(nanos(secs(seconds)));
    }
}

#[test]
fn rule_3_and_32_the_first_run_is_at_the_next_occurrence_and_the_service_is_ready_before() {
    let mut harness = cron("0 8 * * *");
    assert_eq!(harness.state(), State::Waiting);
    assert!(harness.lifecycle.readiness().is_ready());
    assert_eq!(harness.lifecycle.next_occurrence(), Some((8 * 3_600, 0)));
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    assert_eq!(harness.now, 8 * HOUR * SECOND, "exactly on time");
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), DAY + 8 * HOUR);
}

#[test]
fn rule_6_a_waiting_service_reads_the_wall_clock_every_30_s() {
    let mut harness = cron("0 8 * * *");
    let mut last = harness.now;
    for _ in 0..100 {
        harness.due();
        assert!(harness.now - last <= 30 * SECOND);
        last = harness.now;
    }
}

#[test]
fn rule_5_and_6_an_occurrence_missed_during_suspension_runs_up_to_a_minute_late() {
    // It reads the wall clock 30 s after the start; the machine was suspended before that.
    for (suspended, want) in [
        (HOUR - 10, Some(20 * SECOND)),
        (HOUR + 30, Some(60 * SECOND)),
        (HOUR + 31, None),
        (5 * HOUR, None),
    ] {
        let mut harness = cron("0 1 * * *");
        harness.advance_wall_clock(suspended);
        harness.now = 30 * SECOND;
        let wall = harness.now + nanos(secs(suspended));
        match (harness.step(Input::Due), want) {
            (Action::Run { .. }, Some(late)) => {
                assert_eq!(harness.lifecycle.run_occurrence(), Some(HOUR.cast_signed()));
                assert_eq!(wall - HOUR * SECOND, late);
                assert_eq!(harness.take_transitions(), []);
                harness.step(SUCCEEDED);
            }
            (Action::Nothing, None) => {
                assert_eq!(harness.take_transitions(), [occurrences_skipped(1, HOUR)])
            }
            (action, _) => panic!("{suspended}: {action:?}"),
        }
        assert_eq!(
            harness.lifecycle.next_occurrence(),
            Some(((DAY + HOUR).cast_signed(), 0)),
            "{suspended}"
        );
    }
}

#[test]
fn rule_5_lateness_is_counted_from_the_occurrence() {
    let mut harness = cron("0 1 * * *");
    harness.now = 1_000 * SECOND;
    harness.advance_wall_clock(HOUR - 1_000 + 10);
    let Action::Run { due, .. } = harness.step(Input::Due) else {
        panic!("{:?}", harness.lifecycle)
    };
    assert_eq!(harness.now - due, 10 * SECOND);
}

#[test]
fn rule_5_if_several_occurrences_passed_only_the_last_one_runs() {
    let mut harness = cron("* * * * *");
    harness.advance_wall_clock(10 * MINUTE);
    // After 30 s it is 00:10:30: only the tenth minute runs.
    assert_eq!(harness.run_next_occurrence(), 10 * MINUTE);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(9, MINUTE)]);
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 11 * MINUTE);
}

#[test]
fn rule_5_a_long_run_is_followed_by_the_last_occurrence_during_it() {
    let mut harness = cron("* * * * *");
    assert_eq!(harness.run_next_occurrence(), MINUTE);
    // It ends at 00:04:10: 00:04 was ten seconds ago; 00:02 and 00:03 are skipped.
    harness.now += 190 * SECOND;
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 4 * MINUTE);
    assert_eq!(harness.now, 250 * SECOND, "immediately");
    assert_eq!(harness.take_transitions(), [occurrences_skipped(2, 2 * MINUTE)]);
    // A daily run that takes a day and two minutes is too late for the next occurrence.
    let mut harness = cron("0 0 * * *");
    assert_eq!(harness.run_next_occurrence(), DAY);
    harness.now += (DAY + 2 * MINUTE) * SECOND;
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 3 * DAY);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(1, 2 * DAY)]);
}

#[test]
fn rule_6_a_clock_set_forward_skips_and_counts() {
    let mut harness = cron("0 8 * * *");
    harness.advance_wall_clock(8 * HOUR - 20);
    // At 30 s it is 08:00:10.
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    // A machine without a battery boots in 1970 and learns the date: nothing runs late, everything
    // is counted.
    let mut harness = cron("0 8 * * *");
    harness.advance_wall_clock(20_000 * DAY + 12 * HOUR);
    assert_eq!(harness.run_next_occurrence(), 20_001 * DAY + 8 * HOUR);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(20_001, 8 * HOUR)]);
}

#[test]
fn rule_6_a_fixed_time_is_repeated_only_if_the_clock_is_set_back_by_more_than_three_hours() {
    // A fixed time that has run is not repeated if the correction is at most three hours.
    let mut harness = cron("0 8 * * *");
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    harness.step(SUCCEEDED);
    harness.set_wall_clock_back(2 * HOUR);
    assert_eq!(harness.run_next_occurrence(), DAY + 8 * HOUR);
    // After a larger correction, the old time is ignored and the occurrence runs again.
    harness.step(SUCCEEDED);
    harness.set_wall_clock_back(10 * HOUR);
    assert_eq!(harness.run_next_occurrence(), DAY + 8 * HOUR);
    // From the year 2100 back to now.
    let mut harness = cron("0 8 * * *");
    harness.advance_wall_clock(47_482 * DAY);
    harness.due();
    harness.set_wall_clock_back(47_482 * DAY);
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
}

#[test]
fn rule_6_a_recurring_expression_runs_again_when_the_clock_is_set_back() {
    let mut harness = cron("* * * * *");
    assert_eq!(harness.run_next_occurrence(), MINUTE);
    harness.step(SUCCEEDED);
    // By half a minute: within the grace period, so the minute that ran does not run again.
    harness.set_wall_clock_back(30);
    assert_eq!(harness.run_next_occurrence(), 2 * MINUTE);
    harness.step(SUCCEEDED);
    // By five minutes: it runs again in the minutes that are repeated.
    harness.now += 10 * 60 * SECOND;
    assert_eq!(harness.run_next_occurrence(), 12 * MINUTE);
    harness.step(SUCCEEDED);
    harness.set_wall_clock_back(5 * MINUTE);
    assert_eq!(harness.run_next_occurrence(), 8 * MINUTE);
}

#[test]
fn rule_9_jitter_delays_the_run_but_not_the_occurrence() {
    let cron = Cron::parse("*/5 * * * *").unwrap();
    let schedule = Schedule::Calendar(Calendar::Cron(cron), Timezone::Local);
    let mut harness = Harness::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    harness.random = 90 * SECOND;
    harness.start();
    for minute in [5, 10, 15] {
        assert_eq!(harness.run_next_occurrence(), minute * MINUTE);
        assert_eq!(harness.now, (minute * MINUTE + 90) * SECOND);
        harness.step(SUCCEEDED);
    }
}

#[test]
fn a_run_without_an_occurrence_drops_the_occurrences_that_have_passed() {
    let mut harness = cron("*/10 * * * *");
    // A run on request does not change the schedule.
    assert_eq!(harness.step(Input::RunNow), Action::Nothing);
    assert!(matches!(harness.due(), Action::Run { .. }));
    assert_eq!(harness.lifecycle.run_occurrence(), None);
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 10 * MINUTE);
    // A delay that the run asks for drops the occurrences during it.
    harness.step(Input::RunEnded(Exit::After(nanos(secs(25 * MINUTE)))));
    assert!(matches!(harness.due(), Action::Run { .. }));
    assert_eq!(harness.lifecycle.run_occurrence(), None);
    assert_eq!(harness.now, 35 * MINUTE * SECOND);
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 40 * MINUTE);
    // So does a backoff.
    assert_eq!(harness.step(crashed()), Action::Nothing);
    assert!(matches!(harness.due(), Action::Run { attempt: 2, .. }));
    assert_eq!(harness.lifecycle.run_occurrence(), None);
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 50 * MINUTE);
    harness.step(SUCCEEDED);
    // So does a pause.
    harness.step(Input::Pause);
    harness.now = 75 * MINUTE * SECOND;
    harness.take_transitions();
    harness.step(Input::Resume);
    assert_eq!(harness.run_next_occurrence(), 80 * MINUTE);
    assert_eq!(harness.take_transitions(), [Transition::Resumed]);
}

#[test]
fn a_pause_that_ends_before_the_occurrence_changes_nothing() {
    let mut harness = cron("*/10 * * * *");
    harness.step(Input::Pause);
    harness.now = 9 * MINUTE * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.run_next_occurrence(), 10 * MINUTE);
}

#[test]
fn rule_6_a_skipped_occurrence_runs_when_the_clock_is_set_back_before_it() {
    // Skipped because the clock was wrong; once it is corrected, the real eight o'clock runs.
    let mut harness = cron("0 8 * * *");
    harness.now = 7 * HOUR * SECOND;
    harness.step(Input::Due);
    harness.advance_wall_clock(2 * HOUR + 1_800);
    harness.now += 300 * SECOND;
    assert_eq!(harness.step(Input::Due), Action::Nothing);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(1, 8 * HOUR)]);
    harness.set_wall_clock_back(2 * HOUR + 1_800);
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    // Started while the clock was two hours ahead.
    let mut harness = cron("0 8 * * *");
    harness.step(Input::Stop { deadline: 0 });
    harness.now = 7 * HOUR * SECOND;
    harness.advance_wall_clock(2 * HOUR);
    harness.start();
    harness.set_wall_clock_back(2 * HOUR);
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
}

#[test]
fn rule_5_occurrences_missed_during_a_run_are_counted_however_it_ends() {
    for (end, pause) in [
        (crashed(), false),
        (Input::RunEnded(Exit::Again), false),
        (Input::RunEnded(Exit::After(nanos(secs(7)))), false),
        (SUCCEEDED, true),
    ] {
        let mut harness = cron("* * * * *");
        assert_eq!(harness.run_next_occurrence(), MINUTE);
        if pause {
            harness.step(Input::Pause);
        }
        harness.now += 210 * SECOND;
        harness.take_transitions();
        harness.step(end);
        assert!(
            harness.take_transitions().contains(&occurrences_skipped(3, 2 * MINUTE)),
            "{end:?}"
        );
    }
}

#[test]
fn a_requested_run_that_is_paused_is_dropped() {
    let mut harness = cron("*/10 * * * *");
    harness.step(Input::RunNow);
    harness.step(Input::Pause);
    harness.now = 610 * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.run_next_occurrence(), 20 * MINUTE);
}

#[test]
fn rule_82_an_absurd_wall_clock_does_not_stop_a_service() {
    // Before the year 1677, after 2262, and beyond the supported range.
    for wall in [-(1_i128 << 64), 1 << 63, 1 << 66, 1 << 100] {
        let mut harness = cron("0 8 * * *");
        harness.ahead = wall;
        for _ in 0..5 {
            harness.due();
        }
        // Once the clock is corrected, the service continues.
        harness.ahead = 0;
        let now = harness.now / SECOND;
        assert!(harness.run_next_occurrence() > now, "{wall}");
    }
}

#[test]
fn the_next_occurrence_comes_with_its_jitter() {
    let cron = Cron::parse("0 8 * * *").unwrap();
    let schedule = Schedule::Calendar(Calendar::Cron(cron), Timezone::Local);
    let mut harness = Harness::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    harness.random = 90 * SECOND;
    harness.start();
    let eight = (8 * HOUR).cast_signed();
    assert_eq!(harness.lifecycle.next_occurrence(), Some((eight, 90 * SECOND)));
}

#[test]
fn rule_3_and_10_an_anchored_interval_does_not_run_at_start_and_is_ready_before_its_first_run() {
    let mut harness = anchored(90 * MINUTE, "00:00");
    assert_eq!(harness.state(), State::Waiting);
    assert!(harness.lifecycle.readiness().is_ready());
    for nth in 1..=40 {
        assert_eq!(harness.run_next_occurrence(), nth * 90 * MINUTE);
        assert_eq!(harness.now, nth * 90 * MINUTE * SECOND, "exactly on time");
        // The length of a run does not move the grid.
        harness.now += nth * SECOND;
        harness.step(SUCCEEDED);
    }
    assert_eq!(harness.take_transitions(), []);
    // 1970-01-01 is a Thursday, and 2026-01-02 a Friday. Every second one is due, also before it.
    let mut harness = anchored(14 * DAY, "2026-01-02 09:00");
    assert_eq!(harness.run_next_occurrence(), DAY + 9 * HOUR);
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 15 * DAY + 9 * HOUR);
}

#[test]
fn rule_10_a_restart_and_a_new_activation_stay_on_the_anchored_grid() {
    let mut harness = anchored(6 * HOUR, "02:00");
    assert_eq!(harness.run_next_occurrence(), 2 * HOUR);
    assert_eq!(harness.step(crashed()), Action::Nothing);
    assert!(matches!(harness.due(), Action::Run { attempt: 2, .. }));
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    harness.step(SUCCEEDED);
    harness.step(Input::Stop { deadline: 0 });
    harness.now += 3 * HOUR * SECOND + 7;
    harness.start();
    assert_eq!(harness.run_next_occurrence(), 14 * HOUR);
}

#[test]
fn rule_5_and_10_missed_occurrences_of_an_anchored_interval_are_skipped_as_with_cron() {
    let mut harness = anchored(5 * MINUTE, "00:02");
    assert_eq!(harness.run_next_occurrence(), 2 * MINUTE);
    // It ends at 00:18:30; 00:07 and 00:12 are skipped, and 00:17 is too old.
    harness.now += (16 * MINUTE + 30) * SECOND;
    harness.step(SUCCEEDED);
    assert_eq!(harness.run_next_occurrence(), 22 * MINUTE);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(3, 7 * MINUTE)]);
    harness.step(SUCCEEDED);
    // A pause drops them without counting.
    harness.step(Input::Pause);
    harness.now = 50 * MINUTE * SECOND;
    harness.step(Input::Resume);
    harness.take_transitions();
    assert_eq!(harness.run_next_occurrence(), 52 * MINUTE);
    assert_eq!(harness.take_transitions(), []);
    // A machine that boots in 1970 and learns the date.
    let mut harness = anchored(14 * DAY, "2026-01-02 09:00");
    harness.advance_wall_clock(28 * DAY);
    assert_eq!(harness.run_next_occurrence(), 29 * DAY + 9 * HOUR);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(2, DAY + 9 * HOUR)]);
}

#[test]
fn rule_6_and_10_an_interval_of_days_is_repeated_only_after_a_correction_of_more_than_three_hours()
{
    let mut harness = anchored(DAY, "08:00");
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    harness.step(SUCCEEDED);
    harness.set_wall_clock_back(2 * HOUR);
    assert_eq!(harness.run_next_occurrence(), DAY + 8 * HOUR);
    harness.step(SUCCEEDED);
    harness.set_wall_clock_back(10 * HOUR);
    assert_eq!(harness.run_next_occurrence(), DAY + 8 * HOUR);
    // A shorter interval runs again.
    let mut harness = anchored(12 * HOUR, "08:00");
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
    harness.step(SUCCEEDED);
    harness.set_wall_clock_back(2 * HOUR);
    assert_eq!(harness.run_next_occurrence(), 8 * HOUR);
}

#[test]
fn rule_6_and_10_a_clock_set_forward_skips_and_counts_the_occurrences_of_an_anchored_interval() {
    let mut harness = anchored(HOUR, "00:30");
    harness.advance_wall_clock(5 * HOUR);
    assert_eq!(harness.run_next_occurrence(), 5 * HOUR + 30 * MINUTE);
    assert_eq!(harness.take_transitions(), [occurrences_skipped(5, 30 * MINUTE)]);
}

#[test]
fn rule_9_and_10_jitter_delays_the_run_of_an_anchored_interval_but_not_the_occurrence() {
    let anchor = Anchor::parse("00:02").unwrap();
    let calendar = Calendar::Anchored(Anchored::new(secs(5 * MINUTE), anchor).unwrap());
    let schedule = Schedule::Calendar(calendar, Timezone::Local);
    let mut harness = Harness::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    harness.random = 90 * SECOND;
    harness.start();
    for minute in [2, 7, 12] {
        assert_eq!(harness.run_next_occurrence(), minute * MINUTE);
        assert_eq!(harness.now, (minute * MINUTE + 90) * SECOND);
        harness.step(SUCCEEDED);
    }
}
