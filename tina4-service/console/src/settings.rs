//! What a console is configured with.

use std::borrow::Cow;
use std::sync::Arc;

#[cfg(feature = "queue")]
use tina4_service::Queues;
use tina4_service::{Requester, RunRecord, Runner, ServiceInfo, WeakRunner};

use crate::access::Grant;
#[cfg(feature = "queue")]
use crate::backlogs::Backlogs;
use crate::problem::Problem;
use crate::refusals::Refusals;
use crate::request::Request;
use crate::stops::Stops;
use crate::sys::panics;
use crate::token::Token;

type DecideAccess = dyn Fn(&Request) -> Grant + Send + Sync;
type Redact = dyn Fn(&str) -> Cow<'_, str> + Send + Sync;

/// What a console is configured with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) runner: WeakRunner,
    pub(crate) title: Option<String>,
    pub(crate) token: Option<Token>,
    pub(crate) access: Option<Arc<DecideAccess>>,
    pub(crate) redact: Option<Arc<Redact>>,
    #[cfg(feature = "queue")]
    pub(crate) queues: Option<Queues>,
    #[cfg(feature = "queue")]
    pub(crate) backlogs: Backlogs,
    /// The stops that are waited for.
    pub(crate) stops: Stops,
    pub(crate) refusals: Refusals,
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
            #[cfg(feature = "queue")]
            backlogs: Backlogs::default(),
            stops: Stops::default(),
            refusals: Refusals::default(),
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

    /// Replaces all texts of a service that an error or a person has written. What the deployment has overridden stays:
    /// these are intervals, words and numbers that the settings of a service accept.
    pub(crate) fn redact_service(&self, service: &mut ServiceInfo) {
        self.redact_error(&mut service.last_error);
        self.redact_error(&mut service.reason);
        self.redact_requester(&mut service.last_requested_by);
    }

    /// Replaces all texts of a run.
    pub(crate) fn redact_record(&self, record: &mut RunRecord) {
        self.redact_error(&mut record.error);
        self.redact_requester(&mut record.by);
    }

    fn redact_requester(&self, requester: &mut Option<Requester>) {
        if let Some(by) = requester
            && let Some(redacted) = by.reason().and_then(|reason| self.redacted(reason))
        {
            *requester = Some(Requester::new(by.name()).because(redacted));
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
