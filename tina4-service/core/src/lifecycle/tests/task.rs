//! Runs that are tasks: how they are dropped, and who cleans up after them.

use super::*;

/// A service with a task in progress, which is asked to stop by 5 s.
fn stopping(hooks: bool) -> Harness {
    let mut harness =
        Harness::of_tasks(Spec { schedule: Schedule::Interval(secs(10)), ..Spec::DEFAULT });
    harness.hooks = hooks;
    harness.start();
    harness.due();
    harness.step(Input::Stop { deadline: 5 * SECOND });
    harness.take_transitions();
    harness
}

#[test]
fn rule_93_a_task_that_returns_in_time_is_stopped() {
    let mut harness = stopping(false);
    harness.now = SECOND;
    harness.step(SUCCEEDED);
    assert_eq!(harness.state(), State::Stopped);
}

#[test]
fn rule_93_a_task_that_does_not_return_in_time_is_dropped_and_its_service_cancelled() {
    for input in [SUCCEEDED, crashed()] {
        let mut harness = stopping(false);
        assert_eq!(harness.due(), Action::Nothing);
        assert_eq!(
            (harness.now, harness.take_transitions()),
            (5 * SECOND, vec![Transition::RunDropped])
        );
        assert_eq!(harness.state(), State::Stopping, "it has not ended yet");
        assert_eq!(harness.step(input), Action::Nothing);
        let ended = Transition::Ended { reason: EndReason::Cancelled, start_again: false };
        assert_eq!(
            (harness.state(), harness.take_transitions().last()),
            (State::Cancelled, Some(&ended))
        );
        assert_eq!(harness.lifecycle.consecutive_crashes(), 0);
        harness.start();
        assert_eq!(harness.state(), State::Waiting);
    }
}

#[test]
fn rule_93_and_42_a_worker_runs_the_hooks_after_the_task() {
    let mut harness = stopping(true);
    harness.due();
    assert_eq!(harness.step(SUCCEEDED), Action::Nothing, "its thread must not block");
    assert_eq!(harness.state(), State::Stopping);
    assert_eq!(harness.due(), Action::CleanUp);
    harness.step(Input::CleanedUp);
    assert_eq!(harness.state(), State::Cancelled);
}

#[test]
fn rule_93_and_43_a_task_that_cannot_be_dropped_is_abandoned() {
    let mut harness = stopping(true);
    harness.due();
    // A second stop request does not shorten the time in which it is dropped.
    harness.step(Input::Stop { deadline: 0 });
    assert_eq!((harness.due(), harness.state()), (Action::Nothing, State::Abandoned));
    assert_eq!(harness.now, 5 * SECOND + SECOND / 2);
    assert_eq!(harness.step(START), Action::Refused(Refusal::Lingering));
    assert_eq!(harness.step(SUCCEEDED), Action::Nothing, "its thread must not block");
    assert_eq!(harness.due(), Action::CleanUp);
    harness.step(Input::CleanedUp);
    assert_eq!(harness.take_transitions().last(), Some(&Transition::LateEnd));
    assert_eq!(harness.state(), State::Abandoned, "it was not stopped");
}

/// The services of a shutdown that are asked to stop after its deadline share the time of the first ones.
#[test]
fn rule_93_and_41_a_task_that_is_stopped_after_the_deadline_is_dropped_at_once() {
    let mut harness =
        Harness::of_tasks(Spec { schedule: Schedule::Interval(secs(10)), ..Spec::DEFAULT });
    harness.start();
    harness.due();
    harness.take_transitions();
    harness.now = 5 * SECOND + SECOND / 10;
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(harness.take_transitions(), [Transition::Stopping, Transition::RunDropped]);
    assert_eq!((harness.due(), harness.state()), (Action::Nothing, State::Abandoned));
    assert_eq!(harness.now, 5 * SECOND + SECOND / 2);
}

#[test]
fn rule_93_and_47_a_start_while_the_task_is_dropped_follows() {
    let mut harness = stopping(false);
    harness.due();
    assert_eq!(harness.step(START), Action::Nothing);
    harness.step(SUCCEEDED);
    let ended = Transition::Ended { reason: EndReason::Cancelled, start_again: true };
    assert_eq!(harness.take_transitions().last(), Some(&ended));
}

/// The clean-up of a finished service is queued as well.
#[test]
fn rule_92_and_42_a_worker_runs_the_hooks_of_a_finished_task() {
    let mut harness = Harness::of_tasks(Spec::DEFAULT);
    harness.hooks = true;
    harness.start();
    harness.due();
    assert_eq!(harness.step(Input::RunEnded(Exit::Done)), Action::Nothing);
    assert_eq!(harness.due(), Action::CleanUp);
    harness.step(Input::CleanedUp);
    assert_eq!(harness.state(), State::Finished);
}
