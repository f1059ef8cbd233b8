//! What a console was told when it was created.

use std::borrow::Cow;
use std::sync::Arc;

#[cfg(feature = "queue")]
use tina4_service::Queues;
use tina4_service::{Runner, WeakRunner};

use crate::access::Grant;
use crate::problem::Problem;
use crate::request::Request;
use crate::sys::panics;
use crate::token::Token;

type DecideAccess = dyn Fn(&Request) -> Grant + Send + Sync;
type Redact = dyn Fn(&str) -> Cow<'_, str> + Send + Sync;

/// What a console was told when it was created.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) runner: WeakRunner,
    pub(crate) title: Option<String>,
    pub(crate) token: Option<Token>,
    pub(crate) access: Option<Arc<DecideAccess>>,
    pub(crate) redact: Option<Arc<Redact>>,
    #[cfg(feature = "queue")]
    pub(crate) queues: Option<Queues>,
}

impl Settings {
    pub(crate) fn new(runner: &Runner) -> Self {
        Self {
            runner: runner.downgrade(),
            title: None,
            token: None,
            access: None,
            redact: None,
            #[cfg(feature = "queue")]
            queues: None,
        }
    }

    pub(crate) fn runner(&self) -> Result<Runner, Problem> {
        self.runner.upgrade().ok_or_else(Problem::runner_is_gone)
    }

    /// What is shown instead of the text of an error or a log line; `None`: the text itself.
    pub(crate) fn redacted(&self, text: &str) -> Option<String> {
        let redact = self.redact.as_ref()?;
        match panics::catch(|| redact(text).into_owned()) {
            Some(redacted) => Some(redacted),
            None => {
                Some("(not shown, because the function that redacts texts panicked)".to_owned())
            }
        }
    }

    /// Replaces the text of an error by what may be shown of it.
    pub(crate) fn redact_error(&self, error: &mut Option<Arc<str>>) {
        if let Some(text) = error
            && let Some(redacted) = self.redacted(text)
        {
            *error = Some(redacted.into());
        }
    }
}
