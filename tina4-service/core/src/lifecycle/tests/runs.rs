//! Due times, flows and timeouts of runs.

use super::*;

#[test]
fn rule_1_and_3_an_interval_starts_at_once_and_never_drifts() {
    let mut life = Life::every(10);
    life.now = 7 * SECOND;
    life.start();
    let due: Vec<_> = (0..4).map(|_| life.run(3 * SECOND, GOOD)).collect();
    assert_eq!(due, [7, 17, 27, 37]);
}

#[test]
fn rule_2_a_delay_counts_from_the_end_of_the_run() {
    let spec = Spec { schedule: Schedule::Delay(secs(5)), initial_delay: secs(2), ..Spec::DEFAULT };
    let mut life = Life::new(spec);
    life.start();
    let due: Vec<_> = (0..3).map(|_| life.run(3 * SECOND, GOOD)).collect();
    assert_eq!(due, [2, 10, 18]);
}

#[test]
fn rule_5_what_fell_due_meanwhile_is_skipped_and_told_once() {
    let mut life = Life::every(10);
    life.start();
    life.take_notes();
    life.run(35 * SECOND, GOOD);
    assert_eq!(life.take_notes(), [Transition::Skipped(3)]);
    assert_eq!(life.run(0, GOOD), 40);
    // A late wake-up runs once and goes on with the grid.
    life.now = 95 * SECOND;
    assert_eq!(life.run(0, GOOD), 50);
    assert_eq!(life.run(0, GOOD), 100);
}

#[test]
fn rule_9_jitter_again_and_after_leave_the_grid_alone() {
    let jitter = secs(4);
    let spec = Spec { schedule: Schedule::Interval(secs(10)), jitter, ..Spec::DEFAULT };
    let mut life = Life::new(spec);
    life.random = 3 * SECOND;
    life.start();
    assert_eq!((0..3).map(|_| life.run(0, GOOD)).collect::<Vec<_>>(), [3, 13, 23]);
    assert_eq!(life.run(SECOND, Input::Ended(Exit::Again)), 33);
    assert_eq!(life.run(SECOND, Input::Ended(Exit::After(nanos(secs(2))))), 34);
    assert_eq!(life.run(0, GOOD), 37);
    assert_eq!(life.run(0, Input::Ended(Exit::Done)), 43);
    assert_eq!(life.state(), State::Finished);
}

/// A repeat is the end of a run and the beginning of the next, without anything in between.
#[test]
fn rule_9_a_repeat_is_an_end_and_a_beginning() {
    let between: [&[Input<'_>]; 4] =
        [&[], &[Input::Pause], &[Input::Stop { deadline: 9 * SECOND }], &[Input::RunNow]];
    for (takes, between) in [SECOND, 35 * SECOND].into_iter().flat_map(|t| between.map(|b| (t, b)))
    {
        let running = || {
            let mut life = Life::every(10);
            life.start();
            life.run(SECOND, crashed());
            life.due();
            life.now += takes;
            for input in between {
                life.step(*input);
            }
            life
        };
        let (mut at_once, mut by_steps) = (running(), running());
        let action = at_once.step(Input::Repeat);
        // What is told is told before the next run begins.
        let quiet = takes == SECOND && matches!(between, [] | [Input::RunNow]);
        assert_eq!(matches!(action, Action::Run { .. }), quiet, "{between:?}: {action:?}");
        by_steps.step(Input::Ended(Exit::Again));
        if quiet {
            assert_eq!(by_steps.step(Input::Due), action);
            assert_eq!(at_once.life.since(), at_once.now);
        }
        assert_eq!(format!("{:?}", at_once.life), format!("{:?}", by_steps.life));
        assert_eq!(at_once.transitions, by_steps.transitions);
    }
}

#[test]
fn rule_63_stuck_is_told_once_per_silence_and_a_heartbeat_starts_it_again() {
    let mut life = Life::new(Spec { timeout: Some(secs(10)), ..Spec::DEFAULT });
    life.start();
    life.due();
    life.take_notes();
    life.last_heartbeat = 4 * SECOND;
    life.due();
    assert_eq!((life.now / SECOND, life.take_notes().len()), (10, 0), "it beat at 4");
    life.due();
    let stuck = Transition::Stuck { running_for: secs(14) };
    assert_eq!((life.now / SECOND, life.take_notes()), (14, vec![stuck]));
    life.due();
    life.due();
    assert_eq!(life.take_notes(), [], "once");
    assert!(life.now >= 40 * SECOND, "looked at ever more rarely: {}", life.now);
    life.last_heartbeat = life.now + SECOND;
    life.due();
    life.due();
    assert_eq!(life.take_notes().len(), 1, "a new silence");
}
