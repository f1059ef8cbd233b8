//! A service that the deployment has turned off.

use super::*;

fn disabled() -> Harness {
    let mut harness = Harness::every(10);
    harness.step(Input::Disable);
    harness
}

#[test]
fn rule_34_and_61_a_disabled_service_refuses_all_but_a_start() {
    let mut harness = disabled();
    assert_eq!((harness.state(), harness.lifecycle.next_wake_up()), (State::Disabled, None));
    let readiness = harness.lifecycle.readiness();
    assert!(!readiness.is_ready() && !readiness.is_starting() && !readiness.may_become_ready());
    for request in [Input::RunNow, Input::Pause, Input::Resume] {
        assert_eq!(harness.step(request), Action::Refused(Refusal::NotActive));
    }
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!((harness.state(), harness.take_transitions()), (State::Disabled, vec![]));
    harness.now = 3 * SECOND;
    harness.start();
    assert_eq!(harness.run(0, SUCCEEDED), 3);
    assert!(harness.is_ready());
}

#[test]
fn rule_34_and_61_it_is_disabled_again_after_a_stop() {
    let mut harness = disabled();
    harness.start();
    harness.step(Input::Disable);
    assert_eq!(harness.state(), State::Waiting, "an activation goes on");
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(harness.state(), State::Stopped);
    harness.now = 7 * SECOND;
    harness.step(Input::Disable);
    assert_eq!((harness.state(), harness.lifecycle.since()), (State::Disabled, 7 * SECOND));
}

#[test]
fn rule_34_and_61_an_end_of_its_own_stays_visible() {
    for (end, state) in
        [(Input::RunEnded(Exit::Done), State::Finished), (crashed_permanently(), State::Failed)]
    {
        let mut harness = disabled();
        harness.start();
        harness.due();
        harness.step(end);
        harness.step(Input::Disable);
        assert_eq!(harness.state(), state);
    }
}
