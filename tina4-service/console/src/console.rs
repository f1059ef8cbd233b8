//! The console of a runner.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tina4_service::{Runner, WeakRunner};

use crate::access::Grant;
use crate::answer::{Answer, Body};
use crate::request::Request;

/// The console of a runner; cheap to clone.
///
/// It does not keep the services running.
#[derive(Clone)]
pub struct Console(Arc<Settings>);

type DecideAccess = dyn Fn(&Request) -> Grant + Send + Sync;
type Redact = dyn Fn(&str) -> Cow<'_, str> + Send + Sync;

#[derive(Clone)]
struct Settings {
    runner: WeakRunner,
    title: Option<String>,
    token: Option<String>,
    access: Option<Arc<DecideAccess>>,
    redact: Option<Arc<Redact>>,
}

impl Console {
    /// A console for this runner.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self(Arc::new(Settings {
            runner: runner.downgrade(),
            title: None,
            token: None,
            access: None,
            redact: None,
        }))
    }

    /// Sets what the titles of pages say, such as `shop (production)`. Default: the name of the program.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        self.with(|settings| settings.title = Some(title.into()))
    }

    /// Sets the token that lets its bearer take every action.
    ///
    /// # Errors
    ///
    /// It is shorter than 32 characters.
    pub fn token(self, token: impl Into<String>) -> Result<Self, TokenError> {
        let token = token.into();
        if token.chars().count() < TokenError::MIN_CHARS {
            return Err(TokenError { chars: token.chars().count() });
        }
        Ok(self.with(|settings| settings.token = Some(token)))
    }

    /// Sets what decides what a visitor may do.
    #[must_use]
    pub fn access<G: Into<Grant>>(
        self,
        decide: impl Fn(&Request) -> G + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| {
            settings.access = Some(Arc::new(move |request| decide(request).into()))
        })
    }

    /// Sets what is shown instead of the text of an error or a log line, which may contain secrets.
    #[must_use]
    pub fn redact(self, redact: impl Fn(&str) -> Cow<'_, str> + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.redact = Some(Arc::new(redact)))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Answers a request. It may block for as long as a queue's engine does, and for up to half a second if a service is to
    /// be stopped; so an async front end calls it on a thread that may block.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Answer {
        let services = match (&*request.path, self.0.runner.upgrade()) {
            ("/" | "/services", Some(runner)) => runner.services(),
            _ => return Answer { status: 404, headers: Vec::new(), body: Body::Bytes(Vec::new()) },
        };
        let list = serde_json::json!({ "schema": 1, "services": services });
        Answer {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: Body::Bytes(list.to_string().into_bytes()),
        }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("title", &self.0.title).finish_non_exhaustive()
    }
}

/// A token is too short to be safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenError {
    chars: usize,
}

impl TokenError {
    /// The number of characters of the shortest token.
    const MIN_CHARS: usize = 32;
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the token of the console has {} characters, and needs at least {}; `openssl rand -hex 32` makes one",
            self.chars,
            Self::MIN_CHARS
        )
    }
}

impl std::error::Error for TokenError {}
