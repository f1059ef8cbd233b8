//! Stop, clean-up and abandoned runs.

use super::*;

#[test]
fn rule_26_what_a_stopped_run_returns_is_no_crash() {
    for input in [GOOD, crashed(), crashed_permanently(), Input::Ended(Exit::Again)] {
        let mut life = Life::every(10);
        life.start();
        life.due();
        life.step(Input::Stop { deadline: 9 * SECOND });
        assert_eq!(life.state(), State::Stopping);
        life.step(input);
        assert_eq!((life.state(), life.life.crashes_in_a_row()), (State::Stopped, 0), "{input:?}");
    }
}

#[test]
fn rule_43_an_abandoned_run_blocks_a_second_copy_until_it_ends() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(life.due(), Action::Nothing);
    assert_eq!(life.state(), State::Abandoned);
    assert_eq!(
        life.step(Input::Start { wait_for_dependencies: false }),
        Action::Refused(Refusal::Lingering)
    );
    life.hooks = true;
    assert_eq!(life.step(crashed()), Action::CleanUp, "what it holds is cleaned up late");
    assert_eq!(
        life.step(Input::Start { wait_for_dependencies: false }),
        Action::Refused(Refusal::Lingering)
    );
    life.step(Input::CleanedUp);
    assert_eq!(life.state(), State::Abandoned, "it is not called stopped");
    life.start();
    assert_eq!(life.state(), State::Waiting);
}

#[test]
fn rule_42_hooks_come_between_the_last_run_and_the_end() {
    let mut life = Life::every(10);
    life.hooks = true;
    life.start();
    life.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(life.state(), State::Stopping);
    assert_eq!(life.due(), Action::CleanUp, "a worker must come for it");
    life.step(Input::CleanedUp);
    assert_eq!(life.state(), State::Stopped);
}

#[test]
fn rule_47_start_while_stopping_follows_the_stop() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(life.step(Input::Start { wait_for_dependencies: false }), Action::Nothing);
    life.step(GOOD);
    let ended = Transition::Ended { ending: Ending::Stopped, start_again: true };
    assert!(life.take_notes().contains(&ended));
    // A later stop takes the wish back.
    life.start();
    life.due();
    life.step(Input::Stop { deadline: 50 * SECOND });
    life.step(Input::Start { wait_for_dependencies: false });
    life.step(Input::Stop { deadline: 50 * SECOND });
    life.step(GOOD);
    let ended = Transition::Ended { ending: Ending::Stopped, start_again: false };
    assert!(life.take_notes().contains(&ended));
}
