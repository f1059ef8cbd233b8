//! The health of a program, for people and monitors.

use std::borrow::Cow;
use std::fmt;

use crate::observe::readiness::Readiness;
use crate::text::one_line::OneLine;

/// The health of a program, as [`health`](crate::health) returns it: one word, and what is wrong.
///
/// `Display` prints the word, and a line for each thing that is wrong.
///
/// ```
/// use tina4_service::{HealthStatus, Runner, Service};
///
/// let runner = Runner::new();
/// runner.register(Service::new("import", |_| Err::<(), _>("no disk")).max_restarts(0))?;
/// runner.start_all()?;
/// runner.wait();
/// let health = runner.health();
/// assert_eq!(health.status, HealthStatus::Degraded);
/// assert_eq!(health.to_string(), "degraded\nimport: it has failed\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The health in a word.
    pub status: HealthStatus,
    /// Whether the engine makes progress; see [`is_live`](crate::is_live).
    pub is_live: bool,
    /// Whether the program is ready, and what it waits for.
    pub readiness: Readiness,
    /// The services with which something is wrong, sorted by name; the first 100 of them.
    pub unhealthy: Vec<UnhealthyService>,
    /// The number of services with which something is wrong and that are not in that list.
    pub omitted: usize,
}

/// The health of a program in a word. `Display` prints it in lowercase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HealthStatus {
    /// The program is live and ready, and no service has a problem.
    Ok,
    /// The program is live and ready, but something is wrong with a service.
    Degraded,
    /// The program is not live, or not ready. `/health` answers 503.
    Down,
}

/// A service with which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnhealthyService {
    /// The name of the service.
    pub name: Cow<'static, str>,
    /// What is wrong with it, such as `it has failed`. Without the texts of errors, so that everybody may read it.
    pub why: Cow<'static, str>,
}

/// How many services a [`Health`] lists.
pub(crate) const MAX_UNHEALTHY: usize = 100;

impl HealthStatus {
    /// Whether the program works, perhaps in part: answer 200 at `/health` if so, and 503 if not.
    #[must_use]
    pub fn is_up(self) -> bool {
        match self {
            Self::Ok | Self::Degraded => true,
            Self::Down => false,
        }
    }
}

impl Health {
    pub(crate) fn new(
        is_live: bool,
        readiness: Readiness,
        mut unhealthy: Vec<UnhealthyService>,
    ) -> Self {
        unhealthy.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let omitted = unhealthy.len().saturating_sub(MAX_UNHEALTHY);
        unhealthy.truncate(MAX_UNHEALTHY);
        let status = match (is_live && readiness.is_ready, unhealthy.is_empty()) {
            (false, _) => HealthStatus::Down,
            (true, false) => HealthStatus::Degraded,
            (true, true) => HealthStatus::Ok,
        };
        Self { status, is_live, readiness, unhealthy, omitted }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        })
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        if let Some(reason) = &self.readiness.runner {
            writeln!(f, "the runner: {}", OneLine(reason))?;
        }
        for waited_for in &self.readiness.waiting_for {
            writeln!(f, "{}: {}", OneLine(&waited_for.name), OneLine(&waited_for.why))?;
        }
        let named = |name: &str| self.readiness.waiting_for.iter().any(|other| other.name == name);
        for UnhealthyService { name, why } in self.unhealthy.iter().filter(|of| !named(&of.name)) {
            writeln!(f, "{}: {}", OneLine(name), OneLine(why))?;
        }
        match self.readiness.omitted + self.omitted {
            0 => Ok(()),
            more => writeln!(f, "and {more} more"),
        }
    }
}
