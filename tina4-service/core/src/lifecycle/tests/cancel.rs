//! Runs that are cancelled because they exceed their timeout.

use super::*;
use crate::OnTimeout;

const TEXT: &str = "cancelled: took longer than its timeout of 5s";

/// A service that is started at 0 s, and whose runs are cancelled after 5 s.
fn cancelling(spec: Spec) -> Harness {
    let (timeout, on_timeout) = (Some(secs(5)), OnTimeout::Cancel);
    let mut harness = Harness::new(Spec { timeout, on_timeout, ..spec });
    harness.start();
    harness
}

/// Advances to the next run, and to its cancellation 5 s later.
fn cancel_next_run(harness: &mut Harness) {
    let Action::Run { .. } = harness.due() else { panic!("no run: {:?}", harness.lifecycle) };
    harness.take_transitions();
    assert_eq!(harness.due(), Action::Nothing);
    let stuck = Transition::Stuck { running_for: secs(5) };
    assert_eq!(harness.take_transitions(), [stuck, Transition::RunCancelled]);
    assert_eq!((harness.state(), harness.lifecycle.is_cancelled()), (State::Running, true));
    assert_eq!(harness.lifecycle.next_wake_up(), None, "there is nothing left to check");
}

/// A service whose first run was cancelled at 5 s.
fn cancelled(spec: Spec) -> Harness {
    let mut harness = cancelling(spec);
    cancel_next_run(&mut harness);
    harness
}

fn crash(message: &str, panicked: bool, kind: CrashKind) -> Crash {
    Crash { message: message.into(), panicked, kind }
}

#[test]
fn rule_29_a_cancelled_run_is_a_crash_whatever_it_returns() {
    let panic = crash("panicked: boom", true, CrashKind::Transient);
    let failed: &str = &format!("{TEXT}; then failed: crash");
    let panicked: &str = &format!("{TEXT}; then panicked: boom");
    for (input, message) in [
        (SUCCEEDED, TEXT),
        (Input::Repeat, TEXT),
        (Input::RunEnded(Exit::Again), TEXT),
        (Input::RunEnded(Exit::After(SECOND)), TEXT),
        (Input::RunEnded(Exit::Done), TEXT),
        (crashed(), failed),
        (Input::RunEnded(Exit::Crashed(&panic)), panicked),
    ] {
        for schedule in [Schedule::Continuous, Schedule::Interval(secs(10))] {
            let mut harness = cancelled(Spec { schedule, ..Spec::DEFAULT });
            harness.now += SECOND;
            assert_eq!(harness.step(input), Action::Nothing);
            let crashed = Transition::Crashed {
                crash: crash(message, message == panicked, CrashKind::Transient),
                consecutive_crashes: 1,
                restart_in: Some(secs(1)),
            };
            let expected = [Transition::CancelledRunEnded, crashed];
            assert_eq!(harness.take_transitions(), expected, "{input:?}");
            assert_eq!(harness.state(), State::BackingOff);
            assert_eq!(
                harness.due(),
                Action::Run { due: 7 * SECOND, attempt: 2, kind: RunKind::Call }
            );
            assert!(!harness.lifecycle.is_cancelled(), "the next run is not");
            harness.step(SUCCEEDED);
            assert!(matches!(harness.state(), State::Finished | State::Waiting), "{input:?}");
        }
    }
}

#[test]
fn rule_29_and_28_a_permanent_error_of_a_cancelled_run_is_final() {
    let mut harness = cancelled(Spec::DEFAULT);
    harness.step(crashed_permanently());
    let crash = crash(&format!("{TEXT}; then failed: crash"), false, CrashKind::Permanent);
    let crashed = Transition::Crashed { crash, consecutive_crashes: 1, restart_in: None };
    assert_eq!(harness.take_transitions()[..2], [Transition::CancelledRunEnded, crashed]);
    assert_eq!(harness.state(), State::Failed);
}

#[test]
fn rule_29_and_22_cancelled_runs_use_up_the_restarts() {
    let restart_policy = RestartPolicy { max_restarts: Some(2), ..RestartPolicy::DEFAULT };
    let mut harness = cancelling(Spec { restart_policy, ..Spec::DEFAULT });
    for state in [State::BackingOff, State::BackingOff, State::Failed] {
        cancel_next_run(&mut harness);
        harness.step(SUCCEEDED);
        assert_eq!(harness.state(), state);
    }
}

#[test]
fn rule_29_a_heartbeat_in_time_prevents_a_cancellation_and_a_late_one_does_not_undo_it() {
    let mut harness = cancelling(Spec::DEFAULT);
    harness.due();
    harness.take_transitions();
    for seconds in [4, 8, 12] {
        harness.last_heartbeat = seconds * SECOND;
        harness.due();
        assert_eq!((harness.take_transitions(), harness.lifecycle.is_cancelled()), (vec![], false));
    }
    harness.step(SUCCEEDED);
    assert_eq!(harness.state(), State::Finished);

    let mut harness = cancelled(Spec::DEFAULT);
    harness.last_heartbeat = harness.now + 1;
    harness.now += 100 * SECOND;
    assert_eq!(harness.step(Input::Due), Action::Nothing);
    assert_eq!((harness.take_transitions(), harness.lifecycle.is_cancelled()), (vec![], true));
    harness.step(SUCCEEDED);
    assert_eq!(harness.state(), State::BackingOff);
}

#[test]
fn rule_29_a_run_that_ends_before_its_timeout_is_noticed_is_not_cancelled() {
    let schedule = Schedule::Delay(secs(1));
    let mut harness = cancelling(Spec { schedule, ..Spec::DEFAULT });
    harness.due();
    harness.take_transitions();
    harness.now = 9 * SECOND;
    harness.step(SUCCEEDED);
    assert_eq!((harness.state(), harness.take_transitions()), (State::Waiting, vec![]));
}

#[test]
fn rule_29_and_26_a_stop_request_takes_precedence() {
    for input in [SUCCEEDED, crashed(), crashed_permanently(), Input::Repeat] {
        for hooks in [false, true] {
            let mut harness = cancelled(Spec::DEFAULT);
            harness.hooks = hooks;
            harness.step(Input::Stop { deadline: 9 * SECOND });
            assert_eq!(harness.take_transitions(), [Transition::Stopping]);
            assert_eq!(
                (harness.state(), harness.lifecycle.is_cancelled()),
                (State::Stopping, false)
            );
            let action = harness.step(input);
            assert_eq!(action == Action::CleanUp, hooks);
            if hooks {
                harness.step(Input::CleanedUp);
            }
            let crashes = harness.lifecycle.consecutive_crashes();
            assert_eq!((harness.state(), crashes), (State::Stopped, 0), "{input:?}");
        }
    }
}

/// A service whose first run, a task, was cancelled at 5 s, and that is asked to stop by 9 s.
fn stopping_task(hooks: bool) -> Harness {
    let (timeout, on_timeout) = (Some(secs(5)), OnTimeout::Cancel);
    let mut harness = Harness::of_tasks(Spec { timeout, on_timeout, ..Spec::DEFAULT });
    harness.hooks = hooks;
    harness.start();
    cancel_next_run(&mut harness);
    harness.step(Input::Stop { deadline: 9 * SECOND });
    assert_eq!(harness.take_transitions(), [Transition::Stopping], "it is being dropped already");
    harness
}

/// A stop request does not undo the drop, so the service is not reported as stopped.
#[test]
fn rule_29_26_and_93_a_stop_of_a_cancelled_task_reports_that_it_was_dropped_and_no_crash() {
    for input in [SUCCEEDED, crashed(), crashed_permanently(), Input::RunEnded(Exit::Again)] {
        for hooks in [false, true] {
            let mut harness = stopping_task(hooks);
            harness.step(input);
            if hooks {
                assert_eq!(harness.due(), Action::CleanUp);
                harness.step(Input::CleanedUp);
            }
            let crashes = harness.lifecycle.consecutive_crashes();
            assert_eq!((harness.state(), crashes), (State::Cancelled, 0), "{input:?}");
        }
    }
}

/// Its poll may block, for as long as a run may take to stop, and then for as long as a drop may take.
#[test]
fn rule_29_43_and_93_a_cancelled_task_that_cannot_be_dropped_is_abandoned_by_a_stop() {
    let mut harness = stopping_task(false);
    assert_eq!((harness.due(), harness.state()), (Action::Nothing, State::Abandoned));
    assert_eq!(harness.now, 9 * SECOND + SECOND / 2);
    // A second request with less time shortens that, but leaves the time for the drop.
    for (second, end) in [(6, 6), (0, 5), (100, 9)] {
        let mut harness = stopping_task(false);
        harness.step(Input::Stop { deadline: second * SECOND });
        assert_eq!((harness.due(), harness.state()), (Action::Nothing, State::Abandoned));
        assert_eq!(harness.now, end * SECOND + SECOND / 2, "{second}");
    }
    // The clean-up after it shares that time.
    let mut harness = stopping_task(true);
    harness.step(SUCCEEDED);
    assert_eq!(harness.due(), Action::CleanUp);
    harness.step(Input::Stop { deadline: 6 * SECOND });
    assert_eq!((harness.due(), harness.state()), (Action::Nothing, State::Abandoned));
    assert_eq!(harness.now, 6 * SECOND + SECOND / 2);
}

#[test]
fn rule_29_and_43_a_cancelled_run_that_does_not_return_is_abandoned_by_a_stop() {
    let mut harness = cancelled(Spec::DEFAULT);
    harness.now += 1_000 * SECOND;
    assert_eq!(harness.step(Input::RunNow), Action::Refused(Refusal::Busy));
    assert_eq!(harness.state(), State::Running);
    let deadline = harness.now + SECOND;
    harness.step(Input::Stop { deadline });
    harness.due();
    assert_eq!(harness.state(), State::Abandoned);
    harness.step(SUCCEEDED);
    assert_eq!(harness.take_transitions().last(), Some(&Transition::LateEnd));
}

#[test]
fn rule_29_and_173_a_service_that_is_paused_during_a_cancelled_run_stays_paused() {
    let mut harness = cancelled(Spec::DEFAULT);
    harness.step(Input::Pause);
    harness.step(SUCCEEDED);
    assert_eq!(harness.state(), State::Paused);
    harness.step(Input::Resume);
    assert_eq!(harness.state(), State::BackingOff);
}
