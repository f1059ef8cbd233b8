//! Calendar time with a clock in hand that is set, stands still and runs on.

use crate::{Cron, Timezone};

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// A service by the calendar, started at 00:00:00.5 on 1970-01-01.
fn calendar(expression: &str) -> Life {
    let cron = Cron::parse(expression).unwrap();
    let schedule = Schedule::Cron(cron, Timezone::Local);
    let mut life = Life::new(Spec { schedule, ..Spec::DEFAULT });
    life.now = SECOND / 2;
    life.start();
    life.take_notes();
    life
}

impl Life {
    /// Looks at the clock until a run begins; its calendar time, in seconds.
    fn date(&mut self) -> u64 {
        for _ in 0..100_000 {
            match self.due() {
                Action::Run { .. } => {
                    return self.life.run_date().expect("for a calendar time").cast_unsigned();
                }
                Action::Nothing => {}
                action @ (Action::CleanUp | Action::Refused(_)) => panic!("{action:?}"),
            }
        }
        panic!("no run: {:?}", self.life)
    }

    /// The machine sleeps: the wall clock goes on, the monotonic one stands still.
    fn suspend(&mut self, seconds: u64) {
        self.ahead += WallNanos::from(nanos(secs(seconds)));
    }

    fn set_back(&mut self, seconds: u64) {
        self.ahead -= WallNanos::from(nanos(secs(seconds)));
    }
}

#[test]
fn rule_3_and_32_the_first_run_is_at_the_next_time_and_waiting_for_it_is_being_up() {
    let mut life = calendar("0 8 * * *");
    assert_eq!(life.state(), State::Waiting);
    assert!(!life.life.is_starting());
    assert_eq!(life.life.next_date(), Some((8 * 3_600, 0)));
    assert_eq!(life.date(), 8 * HOUR);
    assert_eq!(life.now, 8 * HOUR * SECOND, "not a nanosecond late");
    life.step(GOOD);
    assert_eq!(life.date(), DAY + 8 * HOUR);
}

#[test]
fn rule_6_it_looks_at_the_wall_clock_every_30_s() {
    let mut life = calendar("0 8 * * *");
    let mut last = life.now;
    for _ in 0..100 {
        life.due();
        assert!(life.now - last <= 30 * SECOND);
        last = life.now;
    }
}

#[test]
fn rule_5_and_6_a_time_that_passed_in_a_suspend_runs_within_a_minute_and_not_after() {
    // It looks 30 s after the start; the machine slept before that.
    for (asleep, want) in [
        (HOUR - 10, Some(20 * SECOND)),
        (HOUR + 30, Some(60 * SECOND)),
        (HOUR + 31, None),
        (5 * HOUR, None),
    ] {
        let mut life = calendar("0 1 * * *");
        life.suspend(asleep);
        life.now = 30 * SECOND;
        let wall = life.now + nanos(secs(asleep));
        match (life.step(Input::Due), want) {
            (Action::Run { .. }, Some(late)) => {
                assert_eq!(life.life.run_date(), Some(HOUR.cast_signed()));
                assert_eq!(wall - HOUR * SECOND, late);
                assert_eq!(life.take_notes(), []);
                life.step(GOOD);
            }
            (Action::Nothing, None) => assert_eq!(life.take_notes(), [Transition::Skipped(1)]),
            (action, _) => panic!("{asleep}: {action:?}"),
        }
        assert_eq!(life.life.next_date(), Some(((DAY + HOUR).cast_signed(), 0)), "{asleep}");
    }
}

#[test]
fn rule_5_lateness_is_counted_from_the_calendar_time() {
    let mut life = calendar("0 1 * * *");
    life.now = 1_000 * SECOND;
    life.suspend(HOUR - 1_000 + 10);
    let Action::Run { due, .. } = life.step(Input::Due) else { panic!("{:?}", life.life) };
    assert_eq!(life.now - due, 10 * SECOND);
}

#[test]
fn rule_5_of_many_that_passed_the_last_one_runs() {
    let mut life = calendar("* * * * *");
    life.suspend(10 * MINUTE);
    // At 30 s it is 00:10:30: the first nine minutes are too old or beaten by the tenth.
    assert_eq!(life.date(), 10 * MINUTE);
    assert_eq!(life.take_notes(), [Transition::Skipped(9)]);
    life.step(GOOD);
    assert_eq!(life.date(), 11 * MINUTE);
}

#[test]
fn rule_5_a_long_run_is_followed_by_the_last_time_it_covered() {
    let mut life = calendar("* * * * *");
    assert_eq!(life.date(), MINUTE);
    // It ends at 00:04:10: 00:04 passed ten seconds ago, 00:02 and 00:03 are skipped.
    life.now += 190 * SECOND;
    life.step(GOOD);
    assert_eq!(life.date(), 4 * MINUTE);
    assert_eq!(life.now, 250 * SECOND, "at once");
    assert_eq!(life.take_notes(), [Transition::Skipped(2)]);
    // Daily work that takes a day and two minutes is too late for the next time.
    let mut life = calendar("0 0 * * *");
    assert_eq!(life.date(), DAY);
    life.now += (DAY + 2 * MINUTE) * SECOND;
    life.step(GOOD);
    assert_eq!(life.date(), 3 * DAY);
    assert_eq!(life.take_notes(), [Transition::Skipped(1)]);
}

#[test]
fn rule_6_a_clock_that_is_set_forward_is_followed() {
    let mut life = calendar("0 8 * * *");
    life.suspend(8 * HOUR - 20);
    // At 30 s it is 08:00:10.
    assert_eq!(life.date(), 8 * HOUR);
    // A machine without a battery wakes up in 1970 and learns the date: nothing is made up for,
    // and everything is counted.
    let mut life = calendar("0 8 * * *");
    life.suspend(20_000 * DAY + 12 * HOUR);
    assert_eq!(life.date(), 20_001 * DAY + 8 * HOUR);
    assert_eq!(life.take_notes(), [Transition::Skipped(20_001)]);
}

#[test]
fn rule_6_a_clock_that_is_set_back_runs_nothing_twice() {
    // A fixed time that ran does not run again, for a correction of up to three hours.
    let mut life = calendar("0 8 * * *");
    assert_eq!(life.date(), 8 * HOUR);
    life.step(GOOD);
    life.set_back(2 * HOUR);
    assert_eq!(life.date(), DAY + 8 * HOUR);
    // A clock that was wrong by more counts as it is now.
    life.step(GOOD);
    life.set_back(10 * HOUR);
    assert_eq!(life.date(), DAY + 8 * HOUR);
    // From the year 2100 back to now.
    let mut life = calendar("0 8 * * *");
    life.suspend(47_482 * DAY);
    life.due();
    life.set_back(47_482 * DAY);
    assert_eq!(life.date(), 8 * HOUR);
}

#[test]
fn rule_6_what_recurs_goes_on_when_the_clock_is_set_back() {
    let mut life = calendar("* * * * *");
    assert_eq!(life.date(), MINUTE);
    life.step(GOOD);
    // By half a minute: the minute that ran does not run again.
    life.set_back(30);
    assert_eq!(life.date(), 2 * MINUTE);
    life.step(GOOD);
    // By an hour: it does not fall silent for an hour.
    life.now += 10 * 60 * SECOND;
    assert_eq!(life.date(), 12 * MINUTE);
    life.step(GOOD);
    life.set_back(5 * MINUTE);
    assert_eq!(life.date(), 8 * MINUTE);
}

#[test]
fn rule_9_jitter_delays_the_start_and_not_the_calendar() {
    let cron = Cron::parse("*/5 * * * *").unwrap();
    let schedule = Schedule::Cron(cron, Timezone::Local);
    let mut life = Life::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    life.random = 90 * SECOND;
    life.start();
    for minute in [5, 10, 15] {
        assert_eq!(life.date(), minute * MINUTE);
        assert_eq!(life.now, (minute * MINUTE + 90) * SECOND);
        life.step(GOOD);
    }
}

#[test]
fn other_runs_answer_for_what_passed_meanwhile_and_leave_the_calendar() {
    let mut life = calendar("*/10 * * * *");
    // Asked for: the calendar goes on.
    assert_eq!(life.step(Input::RunNow), Action::Nothing);
    assert!(matches!(life.due(), Action::Run { .. }));
    assert_eq!(life.life.run_date(), None);
    life.step(GOOD);
    assert_eq!(life.date(), 10 * MINUTE);
    // A pause that the body asks for replaces the times in it.
    life.step(Input::Ended(Exit::After(nanos(secs(25 * MINUTE)))));
    assert!(matches!(life.due(), Action::Run { .. }));
    assert_eq!(life.life.run_date(), None);
    assert_eq!(life.now, 35 * MINUTE * SECOND);
    life.step(GOOD);
    assert_eq!(life.date(), 40 * MINUTE);
    // So does a backoff.
    assert_eq!(life.step(crashed()), Action::Nothing);
    assert!(matches!(life.due(), Action::Run { attempt: 2, .. }));
    assert_eq!(life.life.run_date(), None);
    life.step(GOOD);
    assert_eq!(life.date(), 50 * MINUTE);
    life.step(GOOD);
    // And a pause from outside.
    life.step(Input::Pause);
    life.now = 75 * MINUTE * SECOND;
    life.take_notes();
    life.step(Input::Resume);
    assert_eq!(life.date(), 80 * MINUTE);
    assert_eq!(life.take_notes(), [Transition::Resumed]);
}

#[test]
fn a_pause_that_ends_in_time_changes_nothing() {
    let mut life = calendar("*/10 * * * *");
    life.step(Input::Pause);
    life.now = 9 * MINUTE * SECOND;
    life.step(Input::Resume);
    assert_eq!(life.date(), 10 * MINUTE);
}

#[test]
fn rule_6_what_was_only_skipped_runs_when_its_time_comes_again() {
    // Skipped because the clock was wrong: set right, the real eight o'clock runs.
    let mut life = calendar("0 8 * * *");
    life.now = 7 * HOUR * SECOND;
    life.step(Input::Due);
    life.suspend(2 * HOUR + 1_800);
    life.now += 300 * SECOND;
    assert_eq!(life.step(Input::Due), Action::Nothing);
    assert_eq!(life.take_notes(), [Transition::Skipped(1)]);
    life.set_back(2 * HOUR + 1_800);
    assert_eq!(life.date(), 8 * HOUR);
    // Started while the clock was two hours ahead.
    let mut life = calendar("0 8 * * *");
    life.step(Input::Stop { deadline: 0 });
    life.now = 7 * HOUR * SECOND;
    life.suspend(2 * HOUR);
    life.start();
    life.set_back(2 * HOUR);
    assert_eq!(life.date(), 8 * HOUR);
}

#[test]
fn rule_5_times_that_passed_in_a_run_are_counted_however_it_ends() {
    for (end, pause) in [
        (crashed(), false),
        (Input::Ended(Exit::Again), false),
        (Input::Ended(Exit::After(nanos(secs(7)))), false),
        (GOOD, true),
    ] {
        let mut life = calendar("* * * * *");
        assert_eq!(life.date(), MINUTE);
        if pause {
            life.step(Input::Pause);
        }
        life.now += 210 * SECOND;
        life.take_notes();
        life.step(end);
        assert!(life.take_notes().contains(&Transition::Skipped(3)), "{end:?}");
    }
}

#[test]
fn what_was_due_at_once_and_then_paused_is_not_made_up_for() {
    let mut life = calendar("*/10 * * * *");
    life.step(Input::RunNow);
    life.step(Input::Pause);
    life.now = 610 * SECOND;
    life.step(Input::Resume);
    assert_eq!(life.date(), 20 * MINUTE);
}

#[test]
fn rule_82_a_clock_that_shows_nonsense_freezes_nothing() {
    // Before the year 1677, after 2262, and beyond what is computed.
    for wall in [-(1_i128 << 64), 1 << 63, 1 << 66, 1 << 100] {
        let mut life = calendar("0 8 * * *");
        life.ahead = wall;
        for _ in 0..5 {
            life.due();
        }
        // Set right, it goes on.
        life.ahead = 0;
        let now = life.now / SECOND;
        assert!(life.date() > now, "{wall}");
    }
}

#[test]
fn the_next_due_time_says_how_late_it_begins_on_purpose() {
    let cron = Cron::parse("0 8 * * *").unwrap();
    let schedule = Schedule::Cron(cron, Timezone::Local);
    let mut life = Life::new(Spec { schedule, jitter: secs(100), ..Spec::DEFAULT });
    life.random = 90 * SECOND;
    life.start();
    let eight = (8 * HOUR).cast_signed();
    assert_eq!(life.life.next_date(), Some((eight, 90 * SECOND)));
}
