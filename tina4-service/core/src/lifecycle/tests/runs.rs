//! Due times, flows and timeouts of runs.

use super::*;

#[test]
fn rule_1_and_3_an_interval_starts_immediately_and_never_drifts() {
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
fn rule_5_runs_missed_during_a_long_run_are_skipped_and_reported_once() {
    let mut life = Life::every(10);
    life.start();
    life.take_transitions();
    life.run(35 * SECOND, GOOD);
    assert_eq!(life.take_transitions(), [Transition::Skipped(3)]);
    assert_eq!(life.run(0, GOOD), 40);
    // After a late wake-up it runs once and returns to the grid.
    life.now = 95 * SECOND;
    assert_eq!(life.run(0, GOOD), 50);
    assert_eq!(life.run(0, GOOD), 100);
}

#[test]
fn rule_9_jitter_again_and_after_do_not_move_the_grid() {
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

#[test]
fn rule_9_a_repeat_equals_the_end_of_a_run_and_the_start_of_the_next() {
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
        let (mut repeated, mut in_two_steps) = (running(), running());
        let action = repeated.step(Input::Repeat);
        // Transitions are reported before the next run begins.
        let quiet = takes == SECOND && matches!(between, [] | [Input::RunNow]);
        assert_eq!(matches!(action, Action::Run { .. }), quiet, "{between:?}: {action:?}");
        in_two_steps.step(Input::Ended(Exit::Again));
        if quiet {
            assert_eq!(in_two_steps.step(Input::Due), action);
            assert_eq!(repeated.life.since(), repeated.now);
        }
        assert_eq!(format!("{:?}", repeated.life), format!("{:?}", in_two_steps.life));
        assert_eq!(repeated.transitions, in_two_steps.transitions);
    }
}

#[test]
fn rule_63_a_stuck_run_is_reported_once_per_silence() {
    let mut life = Life::new(Spec { timeout: Some(secs(10)), ..Spec::DEFAULT });
    life.start();
    life.due();
    life.take_transitions();
    life.last_heartbeat = 4 * SECOND;
    life.due();
    assert_eq!(
        (life.now / SECOND, life.take_transitions().len()),
        (10, 0),
        "its heartbeat was at 4"
    );
    life.due();
    let stuck = Transition::Stuck { running_for: secs(14) };
    assert_eq!((life.now / SECOND, life.take_transitions()), (14, vec![stuck]));
    life.due();
    life.due();
    assert_eq!(life.take_transitions(), [], "reported once");
    assert!(life.now >= 40 * SECOND, "checked less and less often: {}", life.now);
    life.last_heartbeat = life.now + SECOND;
    life.due();
    life.due();
    assert_eq!(life.take_transitions().len(), 1, "a new silence");
}
