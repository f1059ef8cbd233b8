//! A handle of a runner that does not keep its services running.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::engine::Engine;
use crate::runner::runner::Runner;
use crate::runner::shared::{KeepRunning, Shared};
use crate::service::environment::Environment;

/// A handle of a [`Runner`] that does not keep its services running; from [`Runner::downgrade`].
///
/// It is for code that outlives the runner, or that the runner itself holds, such as a value passed to
/// [`Runner::provide`]. A service finds its own runner with [`Context::runner`](crate::Context::runner).
///
/// ```
/// use tina4_service::{Runner, Service};
///
/// let runner = Runner::new();
/// runner.register(Service::new("mail", |_ctx| {}).interval("1h")).unwrap();
/// runner.start_all()?;
/// let weak = runner.downgrade();
/// assert!(weak.upgrade().is_some_and(|runner| runner.is_running("mail")));
///
/// drop(runner); // the last handle, so the services are asked to stop
/// assert!(weak.upgrade().is_none());
/// # Ok::<(), tina4_service::StartError>(())
/// ```
#[derive(Clone)]
pub struct WeakRunner {
    engine: Weak<Engine>,
    env: Weak<Environment>,
    /// `None` if the downgraded handle does not keep them running either.
    keep_running: Option<Weak<KeepRunning>>,
}

impl WeakRunner {
    /// The runner, unless its last handle has been dropped.
    ///
    /// The result is a handle like the one that was downgraded. If that one keeps the services
    /// running, so does this one, for as long as it exists.
    #[must_use]
    pub fn upgrade(&self) -> Option<Runner> {
        let keep_running = match &self.keep_running {
            Some(keep_running) => Some(keep_running.upgrade()?),
            None => None,
        };
        let shared = Shared { engine: self.engine.upgrade()?, env: self.env.upgrade()? };
        Some(Runner { shared, keep_running, requester: None, counts_jobs: true })
    }
}

impl fmt::Debug for WeakRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}

impl Runner {
    /// Creates a handle that does not keep the services running.
    ///
    /// See [`WeakRunner`].
    #[must_use]
    pub fn downgrade(&self) -> WeakRunner {
        let Self { shared: Shared { engine, env }, keep_running, .. } = self;
        WeakRunner {
            engine: Arc::downgrade(engine),
            env: Arc::downgrade(env),
            keep_running: keep_running.as_ref().map(Arc::downgrade),
        }
    }
}
