//! Whether a program is ready for work from outside, and what it waits for.

use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "signals")]
use crate::observe::signal::Signal;
use crate::text::one_line::OneLine;

/// Whether a program is ready for work from outside, as [`readiness`](crate::readiness) returns it.
///
/// `Display` prints it like the Kubernetes API server does at `/readyz?verbose`: a line for each check, of
/// which a failed one begins with `[-]`, and the result.
///
/// ```
/// use tina4_service::{Ready, Runner, Service};
///
/// let runner = Runner::new();
/// let cache = |ctx: &tina4_service::Context| ctx.ready();
/// runner.register(Service::new("cache", cache).ready(Ready::Notified))?;
/// assert_eq!(
///     runner.readiness().to_string(),
///     "[+]runner ok\n[-]cache failed: it has not been started\nreadyz check failed\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readiness {
    /// Whether it is ready: answer 200 at `/readyz` if so, and 503 if not.
    pub is_ready: bool,
    /// Why the runner itself is not ready, such as `a stop signal has arrived (SIGTERM)`; `None`: it is.
    pub runner: Option<Cow<'static, str>>,
    /// The services that it waits for, sorted by name; 100 of them at most.
    pub waiting_for: Vec<WaitedFor>,
    /// The number of services that it waits for and that are not in that list.
    pub omitted: usize,
}

/// A service that the readiness of a program waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitedFor {
    /// The name of the service.
    pub name: Cow<'static, str>,
    /// Why it is not ready, such as `its first run is in progress`. Without the texts of errors, so that everybody may
    /// read it.
    pub why: Cow<'static, str>,
}

/// How many services a [`Readiness`] lists.
pub(crate) const MAX_WAITED_FOR: usize = 100;

impl Readiness {
    /// Not ready for a reason that concerns the whole runner.
    pub(crate) fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        let runner = Some(reason.into());
        Self { is_ready: false, runner, waiting_for: Vec::new(), omitted: 0 }
    }

    /// Ready if it waits for nothing. `omitted`: how many services it waits for in addition to the
    /// [`MAX_WAITED_FOR`] in the list.
    pub(crate) fn waits_for(mut services: Vec<WaitedFor>, omitted: usize) -> Self {
        services.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self { is_ready: services.is_empty(), runner: None, waiting_for: services, omitted }
    }
}

/// Why a program is not ready after a stop signal.
#[cfg(feature = "signals")]
pub(crate) fn after_signal(signal: Signal) -> Cow<'static, str> {
    format!("a stop signal has arrived ({signal})").into()
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.runner {
            None => f.write_str("[+]runner ok\n")?,
            Some(reason) => writeln!(f, "[-]runner failed: {}", OneLine(reason))?,
        }
        for WaitedFor { name, why } in &self.waiting_for {
            writeln!(f, "[-]{} failed: {}", OneLine(name), OneLine(why))?;
        }
        if self.omitted > 0 {
            writeln!(f, "[-]and {} more", self.omitted)?;
        }
        writeln!(f, "readyz check {}", if self.is_ready { "passed" } else { "failed" })
    }
}
