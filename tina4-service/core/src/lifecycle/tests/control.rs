//! Start, run now, pause and resume.

use super::*;

#[test]
fn run_now_keeps_the_grid_and_is_refused_during_a_run() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.run(0, SUCCEEDED);
    harness.now = 4 * SECOND;
    assert_eq!(harness.step(Input::RunNow), Action::Nothing);
    assert!(matches!(harness.due(), Action::Run { .. }));
    assert_eq!(harness.step(Input::RunNow), Action::Refused(Refusal::Busy));
    harness.step(SUCCEEDED);
    assert_eq!(harness.run(0, SUCCEEDED), 10);
}

#[test]
fn a_pause_lets_the_run_end_and_drops_missed_runs() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.due();
    harness.step(Input::Pause);
    assert_eq!(harness.state(), State::Running);
    harness.step(SUCCEEDED);
    assert_eq!((harness.state(), harness.lifecycle.next_wake_up()), (State::Paused, None));
    // It runs once on request, and is paused again.
    harness.step(Input::RunNow);
    harness.run(0, SUCCEEDED);
    assert_eq!(harness.state(), State::Paused);
    harness.now = 34 * SECOND;
    harness.step(Input::Resume);
    assert_eq!(harness.run(0, SUCCEEDED), 40);
    assert!(
        !harness
            .take_transitions()
            .iter()
            .any(|transition| matches!(transition, Transition::Skipped { .. }))
    );
}
