//! Why a request is refused, as `application/problem+json` (RFC 9457).

use std::fmt;

use serde::Serialize;
use tina4_service::{ControlError, StartError};

use crate::nearest::nearest;
use crate::request::Request;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The kind of problem in a few words.
    pub(crate) title: &'static str,
    pub(crate) status: u16,
    /// What is wrong.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    #[serde(skip)]
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(status: u16, title: &'static str, detail: impl Into<String>) -> Self {
        Self { title, status, detail: detail.into(), hint: None, headers: Vec::new() }
    }

    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The problem that a message of the form `problem; remedy` tells.
    fn of(status: u16, title: &'static str, message: &impl fmt::Display) -> Self {
        let message = message.to_string();
        match message.split_once("; ") {
            Some((problem, remedy)) => Self::new(status, title, problem).hint(remedy),
            None => Self::new(status, title, message),
        }
    }

    pub(crate) fn no_such_path() -> Self {
        Self::new(404, "no such path", "the console has nothing at this path")
            .hint("`GET services` lists the services")
    }

    /// The name of a service, tag or queue is unknown.
    pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> Self {
        let name: String = name.chars().take(100).flat_map(char::escape_debug).collect();
        let problem = Self::new(404, "unknown name", format!("there is no {what} `{name}`"));
        if let Some(meant) = nearest(&name, known) {
            return problem.hint(format!("did you mean `{meant}`?"));
        }
        match known {
            [] => problem.hint(format!("there is no {what} at all")),
            _ => problem.hint(format!("these are known: {}", known.join(", "))),
        }
    }

    pub(crate) fn body_too_large() -> Self {
        let detail = format!("the body has more than {} bytes", Request::MAX_BODY);
        Self::new(413, "body too large", detail).hint("shorten the reason")
    }

    #[cfg(feature = "axum")]
    pub(crate) fn body_unreadable() -> Self {
        Self::malformed("the body did not arrive whole").hint("send it again")
    }

    /// The URI and the header `host` of a request disagree about where it goes.
    #[cfg(feature = "axum")]
    pub(crate) fn ambiguous_host() -> Self {
        Self::malformed("the target and the header `host` of the request name different hosts")
            .hint("send the same host in both, or a target that begins with `/`")
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed request", detail)
    }

    pub(crate) fn runner_is_gone() -> Self {
        Self::new(503, "no runner", "the runner of the services is gone")
    }

    /// A handler of the program, such as the access closure, panicked.
    pub(crate) fn panicked(what: &str) -> Self {
        Self::new(500, "panic", format!("{what} panicked"))
            .hint("the message of the panic is on the standard error of the program")
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        match &error {
            ControlError::Unknown { nearest: None, .. } => {
                Self::of(404, "unknown service", &error).hint("`GET services` lists the names")
            }
            ControlError::Unknown { nearest: Some(_), .. } => {
                Self::of(404, "unknown service", &error)
            }
            ControlError::Busy { .. } => Self::of(409, "a run is in progress", &error),
            ControlError::Start(
                StartError::ShuttingDown | StartError::NoThread(_) | StartError::Forked,
            ) => Self::of(503, "the runner does not start services now", &error),
            ControlError::Start(_) => Self::of(409, "the service cannot start", &error),
            ControlError::Forked => Self::of(503, "forked process", &error),
            ControlError::StillAlive { .. } => Self::of(409, "an old run is alive", &error),
            // Whatever the core adds says in which state the service is, too.
            ControlError::NotActive { .. }
            | ControlError::Disabled { .. }
            | ControlError::WaitingForDependencies { .. }
            | ControlError::Blocked { .. }
            | ControlError::NotReady { .. }
            | ControlError::WaitsForItself { .. }
            | ControlError::Interrupted { .. }
            | ControlError::Schedule { .. }
            | ControlError::InUse { .. }
            | ControlError::UnregistersItself { .. }
            | ControlError::Stopping { .. }
            | _ => Self::of(409, "not in this state", &error),
        }
    }
}
