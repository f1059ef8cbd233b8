//! What the pages say of actions.

use crate::action::Action;

/// What is on the button of an action.
pub(super) fn label(action: Action) -> &'static str {
    match action {
        Action::Run => "Run now",
        Action::Pause => "Pause",
        Action::Resume => "Resume",
        Action::Start => "Start",
        Action::Stop => "Stop",
        Action::Restart => "Restart",
        Action::Reset => "Forget failures",
        Action::Redrive => "Redrive",
    }
}

/// What an action ends, which its confirmation says; `None`: it ends nothing.
pub(super) fn consequence(action: Action) -> Option<&'static str> {
    match action {
        Action::Stop => Some(
            "A run in progress is asked to end. The service stays stopped until somebody starts it.",
        ),
        Action::Restart => Some(
            "A run in progress is asked to end. Then the service starts again, with its first run.",
        ),
        Action::Run
        | Action::Pause
        | Action::Resume
        | Action::Start
        | Action::Reset
        | Action::Redrive => None,
    }
}

/// The answer to an action, on the page that follows it.
pub(super) fn done(action: Action, name: &str) -> String {
    match action {
        Action::Run => format!("{name} was asked to run."),
        Action::Pause => format!("{name} was paused."),
        Action::Resume => format!("{name} was resumed."),
        Action::Start => format!("{name} was started."),
        Action::Stop => format!("{name} was asked to stop."),
        Action::Restart => format!("{name} was asked to restart."),
        Action::Reset => format!("The failures of {name} were forgotten."),
        Action::Redrive => format!("Dead jobs of {name} were put back into the queue."),
    }
}
