//! Rule 113: who has asked for a start while the service was stopping.

use super::super::requests::Asked;
use super::*;
use crate::observe::request::Request;
use crate::observe::requester::Requester;

fn start(supervisor: &mut Supervisor, by: &str) {
    let by = Requester::new(by);
    let asked = Asked { request: Request::Start, by: &by };
    let start = |supervisor: &mut Supervisor, now| supervisor.start("s", now);
    supervisor.on_behalf_of(asked, "s", 0, start).unwrap();
}

fn stop(supervisor: &mut Supervisor) {
    assert!(matches!(supervisor.request_stop("s", 0), Ok(StopResponse::Pending(_))));
}

/// Who has asked for the second run, which begins after the stop of the first one.
fn second_run_is_for(requests: impl FnOnce(&mut Supervisor)) -> Option<String> {
    let mut supervisor = supervisor([service("s").interval("1h")]);
    supervisor.start_all(0).unwrap();
    let first = take(&mut supervisor, 0).expect("it is due");
    stop(&mut supervisor);
    requests(&mut supervisor);
    finish(&mut supervisor, first, Completion::Ran(Exit::Wait), 0);
    // Its clean-up may be work, too.
    while let Some(item) = take(&mut supervisor, 0) {
        let is_run = matches!(item.kind, WorkKind::Run);
        let end = if is_run { Completion::Ran(Exit::Wait) } else { Completion::CleanedUp(vec![]) };
        finish(&mut supervisor, item, end, 0);
    }
    let infos = supervisor.services(0);
    assert_eq!(infos[0].runs, 2);
    infos[0].last_requested_by.as_ref().map(|by| by.name().to_owned())
}

#[test]
fn rule_113_the_first_who_asks_for_a_start_during_a_stop_counts() {
    let by = second_run_is_for(|supervisor| {
        start(supervisor, "alice");
        start(supervisor, "bob");
        supervisor.start("s", 0).unwrap();
    });
    assert_eq!(by.as_deref(), Some("alice"));
}

#[test]
fn rule_113_a_stop_withdraws_the_start_and_who_has_asked_for_it() {
    let by = second_run_is_for(|supervisor| {
        start(supervisor, "alice");
        stop(supervisor);
        supervisor.start("s", 0).unwrap();
    });
    assert_eq!(by, None);
    let by = second_run_is_for(|supervisor| {
        start(supervisor, "alice");
        stop(supervisor);
        start(supervisor, "bob");
    });
    assert_eq!(by.as_deref(), Some("bob"));
}
