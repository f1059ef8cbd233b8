//! The console of a runner.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "queue")]
use tina4_service::Queues;
use tina4_service::{Requester, Runner};

use crate::access::Grant;
use crate::answer::Answer;
use crate::events::hub::Hub;
use crate::request::Request;
use crate::respond;
use crate::settings::Settings;
use crate::token::{Token, TokenError};

/// The name of the variable that holds the token.
const TOKEN_VARIABLE: &str = "TINA4_CONSOLE_TOKEN";

/// The console of a runner; cheap to clone.
///
/// It does not keep the services running. Without further settings, programs on this machine may read, and nobody else
/// may do anything; see [the crate's documentation](crate#who-may-do-what).
///
/// ```
/// use tina4_service::{Runner, Service};
/// use tina4_service_console::{Access, Body, Console, Request};
///
/// let runner = Runner::new();
/// runner.register(Service::new("heartbeat", |_| {}).interval("30s"))?;
/// let console = Console::new(&runner).title("shop").access(|_| Access::Read);
/// let answer = console.answer(&Request::new("GET", "/services"));
/// assert_eq!(answer.status, 200);
/// # Ok::<(), tina4_service::RegisterError>(())
/// ```
#[derive(Clone)]
pub struct Console {
    settings: Arc<Settings>,
    pub(crate) hub: Hub,
}

impl Console {
    /// A console for this runner.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self { settings: Arc::new(Settings::new(runner)), hub: Hub::default() }
    }

    /// A console for the global runner, which holds the declared services.
    ///
    /// This creates the global runner, so call [`Builder::build_global`](tina4_service::Builder::build_global) before.
    #[must_use]
    pub fn global() -> Self {
        Self::new(&tina4_service::on_behalf_of(Requester::new("console")))
    }

    /// Sets what the titles of pages say, such as `shop (production)`. Default: the name of the program.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        self.with(|settings| settings.title = Some(title.into()))
    }

    /// Sets the token that lets its bearer take every action.
    ///
    /// A client sends it as `Authorization: Bearer`, a browser as the password of Basic authentication, whose user
    /// name is recorded with each action, as claimed. It is never part of a URL.
    ///
    /// # Errors
    ///
    /// It is shorter than [`TokenError::MIN_CHARS`], or contains anything but printable ASCII characters.
    pub fn token(self, token: impl AsRef<str>) -> Result<Self, TokenError> {
        let token = Token::new(token.as_ref())?;
        Ok(self.with(|settings| settings.token = Some(token)))
    }

    /// Sets the token to the value of the variable `TINA4_CONSOLE_TOKEN`, if that is set.
    ///
    /// # Errors
    ///
    /// As for [`Console::token`]; also if it is set, and empty or not UTF-8.
    pub fn token_from_env(self) -> Result<Self, TokenError> {
        match std::env::var_os(TOKEN_VARIABLE) {
            None => Ok(self),
            Some(token) => self.token(token.to_str().ok_or(TokenError::Unprintable)?),
        }
    }

    /// Sets what decides what a visitor may do.
    ///
    /// If the program has inserted a [`Grant`] into an axum request, too, the closure decides alone; it finds the other in
    /// [`Request::granted`]. It replaces the rule that programs on this machine may read. It is not asked about bearers of the token, and not about
    /// processes that have opened a unix socket. If it panics, the request is refused.
    ///
    /// To keep that rule for some visitors, ask [`Request::is_from_this_machine`], which also knows of proxies, of DNS
    /// rebinding and of pages of other sites. The address of the peer alone knows none of them.
    ///
    /// ```
    /// use tina4_service::Runner;
    /// use tina4_service_console::{Access, Console};
    ///
    /// // Behind a proxy that authenticates people, and that clients cannot bypass.
    /// let console = Console::new(&Runner::new()).access(|request| {
    ///     match request.header("x-remote-user") {
    ///         Some(user) => Access::Operate.by(user.to_owned()),
    ///         None => Access::None.into(),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn access<G: Into<Grant>>(
        self,
        decide: impl Fn(&Request) -> G + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| {
            settings.access = Some(Arc::new(move |request| decide(request).into()))
        })
    }

    /// Sets what is shown instead of the text of an error or a log line, which may contain secrets. If it panics, the
    /// text is not shown.
    #[must_use]
    pub fn redact(self, redact: impl Fn(&str) -> Cow<'_, str> + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.redact = Some(Arc::new(redact)))
    }

    /// Sets the engine whose dead jobs are shown. Default: the global one.
    #[cfg(feature = "queue")]
    #[must_use]
    pub fn queues(self, queues: &Queues) -> Self {
        self.with(|settings| settings.queues = Some(queues.clone()))
    }

    /// Ends all open streams of events. Clients connect again, so call it when the server stops to accept connections.
    ///
    /// They end by themselves when the runner begins to stop. This is for a server that stops while the services go on: its
    /// graceful shutdown would wait for them.
    pub fn end_streams(&self) {
        self.hub.end_streams();
    }

    /// A console that is set otherwise has streams of its own, because what they show depends on it.
    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.settings;
        change(Arc::make_mut(&mut settings));
        Self { settings, hub: Hub::default() }
    }

    /// Answers a request.
    ///
    /// It may block for as long as the engine of a queue does, and for up to half a second if a service is to be stopped
    /// or restarted, so an async front end calls it on a thread that may block. A stop that takes longer is answered with status
    /// 202, and goes on.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Answer {
        respond::answer(&self.settings, &self.hub, request)
    }
}

#[cfg(test)]
impl Console {
    /// The stops that are waited for.
    pub(crate) fn stops(&self) -> &crate::stops::Stops {
        &self.settings.stops
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("title", &self.settings.title).finish_non_exhaustive()
    }
}
