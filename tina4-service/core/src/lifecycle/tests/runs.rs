//! Due times, flows and timeouts of runs.

use super::*;

#[test]
fn rule_1_and_3_an_interval_starts_immediately_and_never_drifts() {
    let mut harness = Harness::every(10);
    harness.now = 7 * SECOND;
    harness.start();
    let due: Vec<_> = (0..4).map(|_| harness.run(3 * SECOND, SUCCEEDED)).collect();
    assert_eq!(due, [7, 17, 27, 37]);
}

#[test]
fn rule_2_a_delay_counts_from_the_end_of_the_run() {
    let spec = Spec { schedule: Schedule::Delay(secs(5)), initial_delay: secs(2), ..Spec::DEFAULT };
    let mut harness = Harness::new(spec);
    harness.start();
    let due: Vec<_> = (0..3).map(|_| harness.run(3 * SECOND, SUCCEEDED)).collect();
    assert_eq!(due, [2, 10, 18]);
}

#[test]
fn rule_5_runs_missed_during_a_long_run_are_skipped_and_reported_once() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.take_transitions();
    harness.run(35 * SECOND, SUCCEEDED);
    assert_eq!(harness.take_transitions(), [skipped(3, 10)]);
    assert_eq!(harness.run(0, SUCCEEDED), 40);
    // After a late wake-up it runs once and returns to the grid.
    harness.now = 95 * SECOND;
    assert_eq!(harness.run(0, SUCCEEDED), 50);
    assert_eq!(harness.run(0, SUCCEEDED), 100);
}

#[test]
fn rule_9_jitter_again_and_after_do_not_move_the_grid() {
    let jitter = secs(4);
    let spec = Spec { schedule: Schedule::Interval(secs(10)), jitter, ..Spec::DEFAULT };
    let mut harness = Harness::new(spec);
    harness.random = 3 * SECOND;
    harness.start();
    assert_eq!((0..3).map(|_| harness.run(0, SUCCEEDED)).collect::<Vec<_>>(), [3, 13, 23]);
    assert_eq!(harness.run(SECOND, Input::RunEnded(Exit::Again)), 33);
    assert_eq!(harness.run(SECOND, Input::RunEnded(Exit::After(nanos(secs(2))))), 34);
    assert_eq!(harness.run(0, SUCCEEDED), 37);
    assert_eq!(harness.run(0, Input::RunEnded(Exit::Done)), 43);
    assert_eq!(harness.state(), State::Finished);
}

#[test]
fn rule_9_a_repeat_equals_the_end_of_a_run_and_the_start_of_the_next() {
    let between: [&[Input<'_>]; 4] =
        [&[], &[Input::Pause], &[Input::Stop { deadline: 9 * SECOND }], &[Input::RunNow]];
    let ends = [SUCCEEDED, crashed()].map(|first| [(first, SECOND), (first, 35 * SECOND)]);
    for ((first, takes), between) in
        ends.into_iter().flatten().flat_map(|end| between.map(|b| (end, b)))
    {
        let running = || {
            let mut harness = Harness::every(10);
            harness.start();
            harness.run(SECOND, first);
            harness.due();
            harness.now += takes;
            for input in between {
                harness.step(*input);
            }
            harness
        };
        let (mut repeated, mut in_two_steps) = (running(), running());
        let action = repeated.step(Input::Repeat);
        // Transitions are reported before the next run begins.
        let quiet = takes == SECOND
            && matches!(between, [] | [Input::RunNow])
            && matches!(first, SUCCEEDED);
        assert_eq!(matches!(action, Action::Run { .. }), quiet, "{between:?}: {action:?}");
        in_two_steps.step(Input::RunEnded(Exit::Again));
        if quiet {
            assert_eq!(in_two_steps.step(Input::Due), action);
            assert_eq!(repeated.lifecycle.since(), repeated.now);
        }
        assert_eq!(format!("{:?}", repeated.lifecycle), format!("{:?}", in_two_steps.lifecycle));
        assert_eq!(repeated.transitions, in_two_steps.transitions);
    }
}

#[test]
fn rule_63_a_stuck_run_is_reported_once_per_heartbeat() {
    let mut harness = Harness::new(Spec { timeout: Some(secs(10)), ..Spec::DEFAULT });
    harness.start();
    harness.due();
    harness.take_transitions();
    harness.last_heartbeat = 4 * SECOND;
    harness.due();
    assert_eq!(
        (harness.now / SECOND, harness.take_transitions().len()),
        (10, 0),
        "its heartbeat was at 4 s"
    );
    harness.due();
    let stuck = Transition::Stuck { running_for: secs(14) };
    assert_eq!((harness.now / SECOND, harness.take_transitions()), (14, vec![stuck]));
    harness.due();
    harness.due();
    assert_eq!(harness.take_transitions(), [], "reported once");
    assert!(harness.now >= 40 * SECOND, "checked less and less often: {}", harness.now);
    harness.last_heartbeat = harness.now + SECOND;
    harness.due();
    harness.due();
    assert_eq!(harness.take_transitions().len(), 1, "a new heartbeat");
}
