//! Start, run now, pause and resume.

use super::*;

#[test]
fn rule_32_held_until_released() {
    let mut life = Life::every(10);
    life.step(Input::Start { wait_for_dependencies: true });
    assert_eq!((life.state(), life.life.deadline()), (State::Waiting, None));
    life.now = 4 * SECOND;
    life.step(Input::Release);
    assert!(life.life.is_starting());
    assert_eq!(life.run(0, GOOD), 4);
    assert!(!life.life.is_starting());
}

#[test]
fn run_now_keeps_the_grid_and_is_refused_during_a_run() {
    let mut life = Life::every(10);
    life.start();
    life.run(0, GOOD);
    life.now = 4 * SECOND;
    assert_eq!(life.step(Input::RunNow), Action::Nothing);
    assert!(matches!(life.due(), Action::Run { .. }));
    assert_eq!(life.step(Input::RunNow), Action::Refused(Refusal::Busy));
    life.step(GOOD);
    assert_eq!(life.run(0, GOOD), 10);
}

#[test]
fn a_pause_lets_the_run_end_and_makes_up_for_nothing() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Input::Pause);
    assert_eq!(life.state(), State::Running);
    life.step(GOOD);
    assert_eq!((life.state(), life.life.deadline()), (State::Paused, None));
    // Run now, and be paused again.
    life.step(Input::RunNow);
    life.run(0, GOOD);
    assert_eq!(life.state(), State::Paused);
    life.now = 34 * SECOND;
    life.step(Input::Resume);
    assert_eq!(life.run(0, GOOD), 40);
    assert!(
        !life.take_notes().iter().any(|transition| matches!(transition, Transition::Skipped(_)))
    );
}
