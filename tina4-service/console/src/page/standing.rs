//! How a service stands: its state in one word and a symbol, and what is wrong with it.

use maud::{Markup, html};
use tina4_service::{ServiceInfo, State};

use super::words::{coarse, counted};

/// How much attention a service needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// It does not run, on purpose.
    Off,
    /// It is on, and nothing is wrong.
    Good,
    /// It is kept from its schedule by an operator.
    Held,
    /// It may recover by itself.
    Warning,
    /// Somebody should look.
    Bad,
}

impl Severity {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Good => "good",
            Self::Held => "held",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// Whether somebody should look at a service.
pub(super) fn needs_attention(service: &ServiceInfo) -> bool {
    !service.is_healthy() || service.overdue.is_some()
}

pub(super) fn severity(service: &ServiceInfo) -> Severity {
    if needs_attention(service) {
        return Severity::Bad;
    }
    match service.state {
        State::Failed | State::Blocked | State::Abandoned => Severity::Bad,
        State::BackingOff => Severity::Warning,
        State::Paused => Severity::Held,
        State::Waiting | State::Running | State::Stopping | State::Finished => Severity::Good,
        State::Registered | State::Disabled | State::Stopped | State::Cancelled | _ => {
            Severity::Off
        }
    }
}

fn symbol(state: State) -> &'static str {
    match state {
        State::Registered | State::Disabled => "○",
        State::Waiting => "◷",
        State::Running => "▶",
        State::BackingOff => "↻",
        State::Paused => "‖",
        State::Stopping => "…",
        State::Stopped | State::Cancelled => "■",
        State::Finished => "✓",
        State::Failed | State::Abandoned => "✕",
        State::Blocked => "⊘",
        _ => "?",
    }
}

/// The word for a state: that of the log and of JSON.
pub(super) fn state_badge(service: &ServiceInfo) -> Markup {
    let class = severity(service).class();
    html! {
        span class={ "state " (class) } {
            span aria-hidden="true" { (symbol(service.state)) }
            " " (service.state)
        }
    }
}

/// What is wrong with a service, or keeps it from running, as short texts.
pub(super) fn remarks(service: &ServiceInfo) -> Vec<String> {
    let mut remarks = Vec::new();
    if service.stuck {
        remarks.push("stuck: the run exceeds its timeout".to_owned());
    }
    if let Some(overdue) = service.overdue {
        remarks.push(format!("overdue for {}", coarse(overdue)));
    }
    if service.crashes_in_a_row > 0 {
        let times = match service.crashes_in_a_row {
            1 => "once".to_owned(),
            2 => "twice in a row".to_owned(),
            many => format!("{} in a row", counted(many.into(), "time")),
        };
        remarks.push(format!("failed {times}"));
    }
    if !service.waits_for.is_empty() {
        let verb = if service.state == State::Blocked { "blocked by" } else { "waits for" };
        remarks.push(format!("{verb} {}", service.waits_for.join(", ")));
    }
    if let Some(reason) = service.reason.as_ref().filter(|_| service.state == State::Disabled) {
        remarks.push(format!("disabled by {reason}"));
    }
    remarks
}
