//! The life cycle of a queue service: one run from start to stop, beside which jobs may be in progress.

use super::*;
use crate::{OnTimeout, QueueSpec};

fn queue() -> Harness {
    let schedule = Schedule::Queue(QueueSpec::DEFAULT);
    Harness::new(Spec { schedule, ..Spec::DEFAULT })
}

#[test]
fn rule_32_a_queue_service_is_ready_and_claims_once_its_run_begins() {
    let mut harness = queue();
    assert_eq!(harness.lifecycle.consuming(), Consuming::Nothing);
    harness.start();
    assert!(!harness.lifecycle.readiness().is_ready());
    assert!(matches!(harness.due(), Action::Run { .. }));
    assert!(harness.lifecycle.readiness().is_ready());
    assert_eq!(harness.lifecycle.consuming(), Consuming::Claiming);
    assert_eq!(harness.lifecycle.next_wake_up(), None, "it has no due times");
}

#[test]
fn rule_173_a_pause_ends_the_run_and_a_resume_begins_the_next() {
    let mut harness = queue();
    harness.start();
    harness.due();
    harness.step(Input::Pause);
    assert_eq!(harness.lifecycle.consuming(), Consuming::Pausing);
    harness.step(Input::RunEnded(Exit::Again));
    assert_eq!(harness.lifecycle.consuming(), Consuming::Paused);
    harness.step(Input::Resume);
    assert!(matches!(harness.due(), Action::Run { .. }));
    assert_eq!(harness.lifecycle.consuming(), Consuming::Claiming);
}

#[test]
fn rule_134_a_stop_waits_for_jobs_even_while_the_service_backs_off() {
    for has_jobs in [false, true] {
        let mut harness = queue();
        harness.start();
        harness.due();
        harness.step(crashed());
        assert_eq!(harness.state(), State::BackingOff);
        assert_eq!(harness.lifecycle.consuming(), Consuming::BackingOff);
        harness.has_jobs = has_jobs;
        harness.step(Input::Stop { deadline: 5 * SECOND });
        if has_jobs {
            assert_eq!(harness.lifecycle.consuming(), Consuming::Stopping);
            harness.step(SUCCEEDED);
        }
        assert_eq!(harness.state(), State::Stopped);
        assert_eq!(harness.lifecycle.consuming(), Consuming::Nothing);
    }
}

#[test]
fn rule_43_jobs_that_outlast_the_stop_timeout_are_abandoned() {
    let mut harness = queue();
    harness.start();
    harness.due();
    harness.step(Input::Stop { deadline: 5 * SECOND });
    harness.due();
    assert_eq!(harness.state(), State::Abandoned);
    assert_eq!(harness.lifecycle.consuming(), Consuming::Abandoned);
    harness.step(SUCCEEDED);
    assert_eq!(harness.lifecycle.consuming(), Consuming::Nothing);
}

#[test]
fn rule_63_the_oldest_job_is_stuck_and_not_the_run() {
    let schedule = Schedule::Queue(QueueSpec::DEFAULT);
    let mut harness = Harness::new(Spec { schedule, timeout: Some(secs(10)), ..Spec::DEFAULT });
    harness.start();
    harness.due();
    // Nothing has been in progress until now.
    harness.last_heartbeat = 10 * SECOND;
    harness.due();
    assert_eq!(harness.take_transitions(), [Transition::Started]);
    // A job began at 15 s.
    harness.last_heartbeat = 15 * SECOND;
    harness.due();
    assert_eq!((harness.now, harness.take_transitions()), (20 * SECOND, vec![]));
    harness.due();
    let stuck = Transition::Stuck { running_for: secs(10) };
    assert_eq!((harness.now, harness.take_transitions()), (25 * SECOND, vec![stuck]));
}

#[test]
fn rule_137_a_backoff_can_be_shortened_and_not_prolonged() {
    let mut harness = queue();
    harness.start();
    harness.due();
    harness.step(crashed());
    let due = harness.lifecycle.next_run().unwrap();
    harness.step(Input::ShortenBackoff { until: due + 1 });
    assert_eq!(harness.lifecycle.next_run(), Some(due));
    harness.step(Input::ShortenBackoff { until: due - 1 });
    assert_eq!(harness.lifecycle.next_run(), Some(due - 1));
    // Paused, it stays so.
    harness.step(Input::Pause);
    harness.step(Input::ShortenBackoff { until: 0 });
    assert_eq!(harness.lifecycle.consuming(), Consuming::Paused);
    harness.step(Input::Resume);
    assert!(matches!(harness.due(), Action::Run { .. }));
    assert!(harness.take_transitions().contains(&Transition::Restarted));
    harness.step(Input::ShortenBackoff { until: 0 });
    assert_eq!(harness.lifecycle.consuming(), Consuming::Claiming);
}

#[test]
fn rule_29_a_job_that_takes_too_long_does_not_cancel_the_run() {
    let schedule = Schedule::Queue(QueueSpec::DEFAULT);
    let on_timeout = OnTimeout::Cancel;
    let spec = Spec { schedule, timeout: Some(secs(10)), on_timeout, ..Spec::DEFAULT };
    let mut harness = Harness::new(spec);
    harness.start();
    harness.due();
    harness.due();
    assert_eq!(harness.take_transitions(), [Transition::Started]);
    assert_eq!(harness.lifecycle.next_wake_up(), None, "whoever runs the jobs does it");
    assert_eq!(harness.lifecycle.consuming(), Consuming::Claiming);
}
