//! Stop, clean-up and abandoned runs.

use super::*;

#[test]
fn rule_26_an_error_returned_after_a_stop_request_is_not_a_crash() {
    for input in [SUCCEEDED, crashed(), crashed_permanently(), Input::RunEnded(Exit::Again)] {
        let mut harness = Harness::every(10);
        harness.start();
        harness.due();
        harness.step(Input::Stop { deadline: 9 * SECOND });
        assert_eq!(harness.state(), State::Stopping);
        harness.step(input);
        assert_eq!(
            (harness.state(), harness.lifecycle.consecutive_crashes()),
            (State::Stopped, 0),
            "{input:?}"
        );
    }
}

#[test]
fn rule_43_an_abandoned_run_prevents_a_second_copy_until_it_ends() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.due();
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(harness.due(), Action::Nothing);
    assert_eq!(harness.state(), State::Abandoned);
    assert_eq!(harness.step(START), Action::Refused(Refusal::Lingering));
    harness.hooks = true;
    assert_eq!(harness.step(crashed()), Action::CleanUp, "its clean-up runs late");
    assert_eq!(harness.step(START), Action::Refused(Refusal::Lingering));
    harness.step(Input::CleanedUp);
    assert_eq!(harness.state(), State::Abandoned, "it was not stopped");
    harness.start();
    assert_eq!(harness.state(), State::Waiting);
}

#[test]
fn rule_42_hooks_run_between_the_last_run_and_the_end() {
    let mut harness = Harness::every(10);
    harness.hooks = true;
    harness.start();
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(harness.state(), State::Stopping);
    assert_eq!(harness.due(), Action::CleanUp, "a worker has to begin it");
    harness.step(Input::CleanedUp);
    assert_eq!(harness.state(), State::Stopped);
}

#[test]
fn rule_47_a_start_during_a_stop_follows_it() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.due();
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(harness.step(START), Action::Nothing);
    harness.step(SUCCEEDED);
    let ended = Transition::Ended { reason: EndReason::Stopped, start_again: true };
    assert!(harness.take_transitions().contains(&ended));
    // A later stop cancels that start.
    harness.start();
    harness.due();
    harness.step(Input::Stop { deadline: 50 * SECOND });
    harness.step(START);
    harness.step(Input::Stop { deadline: 50 * SECOND });
    harness.step(SUCCEEDED);
    let ended = Transition::Ended { reason: EndReason::Stopped, start_again: false };
    assert!(harness.take_transitions().contains(&ended));
}
