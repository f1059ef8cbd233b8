//! When a service is ready, and how it waits for others.

use super::*;

fn continuous(ready: Option<Ready>) -> Harness {
    Harness::new(Spec { ready, ..Spec::DEFAULT })
}

impl Harness {
    pub(super) fn is_ready(&self) -> bool {
        self.lifecycle.readiness().is_ready()
    }

    fn may_become_ready(&self) -> bool {
        self.lifecycle.readiness().may_become_ready()
    }
}

#[test]
fn rule_32_the_first_run_waits_for_dependencies() {
    let mut harness = Harness::every(10);
    harness.step(Input::Start { dependencies: Dependencies::Pending });
    assert_eq!((harness.state(), harness.lifecycle.next_wake_up()), (State::Waiting, None));
    assert_eq!(harness.take_transitions(), [Transition::Started, Transition::WaitsForDependencies]);
    harness.now = 4 * SECOND;
    harness.step(Input::DependenciesChanged(Dependencies::Met));
    assert_eq!(harness.run(0, SUCCEEDED), 4, "the grid begins when it may start");
}

#[test]
fn rule_32_a_periodic_service_is_ready_once_its_first_run_has_ended_well() {
    for schedule in [Schedule::Interval(secs(10)), Schedule::Delay(secs(10))] {
        let mut harness = Harness::new(Spec { schedule, ..Spec::DEFAULT });
        harness.start();
        assert!(harness.lifecycle.readiness().is_starting());
        harness.due();
        assert!(harness.lifecycle.readiness().is_starting() && !harness.is_ready());
        harness.step(crashed());
        assert!(!harness.lifecycle.readiness().is_starting(), "it no longer holds back `after`");
        assert!(!harness.is_ready() && harness.may_become_ready());
        harness.run(0, SUCCEEDED);
        assert!(harness.is_ready());
        harness.run(0, crashed());
        assert!(harness.is_ready(), "a crash does not end readiness");
        harness.run(0, Input::RunEnded(Exit::Done));
        assert_eq!(harness.state(), State::Finished);
        assert!(harness.is_ready(), "nor does the end of its work");
        harness.start();
        assert!(!harness.is_ready(), "but a new activation does");
    }
}

#[test]
fn rule_32_a_requested_run_counts_and_a_repeated_one_too() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.step(Input::Pause);
    harness.step(Input::RunNow);
    harness.run(0, SUCCEEDED);
    assert!(harness.is_ready());
    assert_eq!(harness.state(), State::Paused, "readiness survives a pause");
    let mut harness = Harness::every(10);
    harness.start();
    harness.run(0, Input::Repeat);
    assert!(harness.is_ready());
}

#[test]
fn rule_32_a_continuous_service_is_ready_when_its_key_says_so() {
    for ready in [None, Some(Ready::Started)] {
        let mut harness = continuous(ready);
        harness.start();
        assert!(!harness.is_ready());
        harness.due();
        assert!(harness.is_ready());
    }
    let mut harness = continuous(Some(Ready::Finished));
    harness.start();
    harness.due();
    assert!(!harness.is_ready());
    harness.step(SUCCEEDED);
    assert!(harness.is_ready());

    let mut harness = continuous(Some(Ready::Notified));
    harness.start();
    harness.due();
    assert!(!harness.is_ready());
    harness.step(Input::Notified);
    assert!(harness.is_ready());
    // One that returns without a call can no longer become ready.
    harness.step(SUCCEEDED);
    harness.start();
    harness.run(0, SUCCEEDED);
    assert!(!harness.is_ready() && !harness.may_become_ready());
}

#[test]
fn rule_32_a_notification_counts_only_with_its_key_and_before_a_stop() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.due();
    harness.step(Input::Notified);
    assert!(!harness.is_ready());
    let spec = Spec { ready: Some(Ready::Notified), ..Harness::every(10).spec };
    let mut harness = Harness::new(spec.clone());
    harness.start();
    harness.run(0, SUCCEEDED);
    assert!(!harness.is_ready(), "a run that ends well is not enough");
    harness.step(Input::Notified);
    assert!(harness.is_ready(), "the call may also come from a thread of its own");
    let mut harness = Harness::new(spec);
    harness.start();
    harness.due();
    harness.step(Input::Stop { deadline: 5 * SECOND });
    harness.step(Input::Notified);
    assert!(!harness.is_ready());
}

#[test]
fn rule_32_readiness_ends_with_a_stop_and_with_a_failure() {
    let mut harness = Harness::every(10);
    harness.start();
    harness.run(0, SUCCEEDED);
    harness.due();
    harness.step(Input::Stop { deadline: 50 * SECOND });
    assert!(!harness.is_ready(), "from the request on");
    harness.step(SUCCEEDED);
    assert!(!harness.is_ready() && !harness.may_become_ready());
    harness.start();
    harness.run(0, SUCCEEDED);
    harness.run(0, crashed_permanently());
    assert!(!harness.is_ready());
}

#[test]
fn rule_34_an_unmet_requirement_blocks_until_it_is_met() {
    let mut harness = Harness::every(10);
    harness.step(Input::Start { dependencies: Dependencies::Unmet });
    assert_eq!((harness.state(), harness.lifecycle.next_wake_up()), (State::Blocked, None));
    assert!(!harness.may_become_ready());
    assert_eq!(harness.take_transitions(), [Transition::Started, Transition::Blocked]);
    assert_eq!(harness.step(START), Action::Refused(Refusal::Active));
    for request in [Input::RunNow, Input::Pause, Input::Resume] {
        assert_eq!(harness.step(request), Action::Refused(Refusal::Blocked));
    }
    harness.step(Input::DependenciesChanged(Dependencies::Pending));
    assert_eq!(harness.state(), State::Waiting);
    harness.step(Input::DependenciesChanged(Dependencies::Unmet));
    harness.take_transitions();
    harness.now = 4 * SECOND;
    harness.step(Input::DependenciesChanged(Dependencies::Met));
    assert_eq!(harness.take_transitions(), [Transition::Unblocked]);
    assert_eq!(harness.run(0, SUCCEEDED), 4);
}

#[test]
fn rule_34_a_blocked_service_can_be_stopped() {
    let mut harness = Harness::every(10);
    harness.step(Input::Start { dependencies: Dependencies::Unmet });
    harness.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(harness.state(), State::Stopped);
    harness.step(Input::DependenciesChanged(Dependencies::Met));
    assert_eq!(harness.state(), State::Stopped, "it does not start by itself any more");
}

#[test]
fn rule_34_a_clean_up_after_the_last_run_holds_nobody_back() {
    let failing = |ready| {
        let restart_policy = RestartPolicy { max_restarts: Some(0), ..RestartPolicy::DEFAULT };
        Harness::new(Spec { ready, restart_policy, ..Spec::DEFAULT })
    };
    for (mut harness, end) in [
        (failing(Some(Ready::Finished)), crashed()),
        (continuous(Some(Ready::Notified)), SUCCEEDED),
        (failing(Some(Ready::Started)), crashed()),
    ] {
        harness.hooks = true;
        harness.start();
        harness.due();
        assert_eq!(harness.step(end), Action::CleanUp);
        let readiness = harness.lifecycle.readiness();
        assert_eq!(harness.state(), State::Stopping);
        assert!(!readiness.is_ready() && !readiness.is_starting() && !readiness.may_become_ready());
    }
}

#[test]
fn rule_34_a_start_without_a_thread_leaves_blocked_services_alone() {
    let mut harness = Harness::every(10);
    harness.step(Input::Start { dependencies: Dependencies::Unmet });
    harness.step(Input::StartFailed);
    assert_eq!(harness.state(), State::Blocked);
}

#[test]
fn rule_34_and_112_a_run_that_does_not_say_that_the_service_is_ready_only_ends_the_start() {
    let schedule = Schedule::Interval(secs(10));
    let ready = Some(Ready::Notified);
    let mut harness = Harness::new(Spec { schedule, ready, ..Spec::DEFAULT });
    harness.start();
    harness.due();
    let holds_up =
        |harness: &Harness| harness.lifecycle.holds_up_start(&harness.spec, harness.now).is_some();
    assert!(holds_up(&harness));
    harness.step(SUCCEEDED);
    assert!(!holds_up(&harness), "the program does not wait for its schedule");
    assert!(harness.lifecycle.readiness().is_starting(), "but those that come after it do");
    harness.due();
    assert!(!holds_up(&harness), "nor for later runs");
    harness.step(crashed());
    assert!(!harness.lifecycle.readiness().is_starting() && harness.may_become_ready());
}
