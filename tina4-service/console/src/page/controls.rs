//! The buttons: which actions make sense in which state, and their forms.

use maud::{Markup, html};
use tina4_service::{ServiceInfo, State};

use super::action_words::{consequence, label};
use super::frame::Frame;
use super::words::encode;
use crate::action::Action;

/// The actions that make sense now, whoever is looking, in the order of their buttons.
fn sensible(service: &ServiceInfo) -> Vec<Action> {
    let waits = !service.waits_for.is_empty();
    // A queue service is one run from its start to its stop.
    let can_run = !waits && !has_queue(service);
    let mut actions = match service.state {
        State::Waiting if waits => vec![Action::Stop, Action::Restart],
        State::Waiting | State::BackingOff if can_run => {
            vec![Action::Run, Action::Pause, Action::Restart, Action::Stop]
        }
        State::Waiting | State::BackingOff | State::Running => {
            vec![Action::Pause, Action::Restart, Action::Stop]
        }
        State::Paused if can_run => {
            vec![Action::Run, Action::Resume, Action::Restart, Action::Stop]
        }
        State::Paused => vec![Action::Resume, Action::Restart, Action::Stop],
        State::Blocked => vec![Action::Stop],
        State::Registered
        | State::Disabled
        | State::Stopped
        | State::Cancelled
        | State::Finished
        | State::Failed
        | State::Abandoned => vec![Action::Start],
        // A state that this version does not know is left alone.
        State::Stopping | _ => vec![],
    };
    let has_failed = matches!(service.state, State::Failed | State::Abandoned)
        || service.crashes_in_a_row > 0
        || service.last_error.is_some();
    if has_failed {
        actions.push(Action::Reset);
    }
    actions
}

#[cfg(feature = "queue")]
fn has_queue(service: &ServiceInfo) -> bool {
    service.queue.is_some()
}

#[cfg(not(feature = "queue"))]
fn has_queue(_: &ServiceInfo) -> bool {
    false
}

/// The actions that make sense now, and that the visitor may use.
pub(super) fn offered(service: &ServiceInfo, frame: &Frame<'_>) -> Vec<Action> {
    sensible(service).into_iter().filter(|action| frame.allows(*action)).collect()
}

fn path(frame: &Frame<'_>, service: &str, action: Action) -> String {
    format!("{}services/{}/{}", frame.root, encode(service), action.word())
}

/// The buttons in a row of the list: at most two, without those that have to be confirmed.
pub(super) fn row_buttons(service: &ServiceInfo, frame: &Frame<'_>) -> Markup {
    let name = &*service.name;
    let offered = offered(service, frame);
    let is_frequent = |action: &Action| {
        matches!(action, Action::Run | Action::Pause | Action::Resume | Action::Start)
    };
    let frequent: Vec<Action> = offered.into_iter().filter(is_frequent).collect();
    html! {
        @if let Some(first) = frequent.first() {
            form.buttons method="post" action=(path(frame, name, *first)) {
                input type="hidden" name="back" value="list";
                @for action in frequent {
                    button formaction=(path(frame, name, action)) value=(action.word()) {
                        (label(action)) span.hidden { " " (name) }
                    }
                }
            }
        }
    }
}

/// All buttons, on the page of the service, with a reason. Those that end something ask once more.
pub(super) fn panel(service: &ServiceInfo, frame: &Frame<'_>) -> Markup {
    let name = &*service.name;
    let offered = offered(service, frame);
    html! {
        @if let Some(first) = offered.first() {
            form.panel method="post" action=(path(frame, name, *first)) {
                // The Enter key in the field uses the first button, so that one does nothing.
                button hidden disabled {}
                input type="hidden" name="back" value="service";
                p.field {
                    label for="reason" { "Reason" }
                    input #reason name="reason" maxlength="200" autocomplete="off"
                        aria-describedby="reason-note";
                    span.muted #reason-note { "optional; it goes to the log and to the history" }
                }
                div.buttons {
                    @for action in offered.iter().filter(|action| consequence(**action).is_none()) {
                        button formaction=(path(frame, name, *action)) value=(action.word()) { (label(*action)) }
                    }
                    @for action in &offered {
                        @if let Some(consequence) = consequence(*action) {
                            details.confirm {
                                summary { (label(*action)) "…" }
                                p { (consequence) }
                                button.danger formaction=(path(frame, name, *action)) value=(action.word()) {
                                    (label(*action)) " " (name)
                                }
                            }
                        }
                    }
                }
            }
        } @else if frame.allowed.is_empty() {
            p.muted { "You may look at this service, but not operate it." }
        } @else {
            p.muted { "There is nothing to do in this state." }
        }
    }
}

/// The form that puts one dead job back into its queue, or all of them.
#[cfg(feature = "queue")]
pub(super) fn redrive(queue: &str, job: Option<&str>, dead: u64, frame: &Frame<'_>) -> Markup {
    let path = format!("{}queues/{}/redrive", frame.root, encode(queue));
    html! {
        @if frame.allows(Action::Redrive) {
            @if let Some(job) = job {
                form method="post" action=(path) {
                    input type="hidden" name="job" value=(job);
                    button value="redrive" { "Redrive" span.hidden { " job " (job) } }
                }
            } @else if dead > 0 {
                details.confirm {
                    summary { "Redrive all…" }
                    p { "All dead jobs of this queue are attempted again, from the first attempt on." }
                    form method="post" action=(path) {
                        input type="hidden" name="job" value="all";
                        button value="redrive" { "Redrive all dead jobs of " (queue) }
                    }
                }
            }
        }
    }
}
