//! The runner of a running service.

use std::sync::Arc;

use crate::engine::Engine;
use crate::runner::runner::Runner;
use crate::runner::shared::Shared;
use crate::service::context::Context;

impl Context {
    /// The runner of this service, with which it can control the others.
    ///
    /// `None` in [`Context::standalone`], and nowhere else.
    ///
    /// This handle does not keep the services running: when all others have been dropped, they are asked
    /// to stop, even while a service still holds this one. The same is true of its clones.
    ///
    /// A service may stop or restart itself; such a call makes the request and does not wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Context, ControlError, Flow, Ready, Runner, Service, State};
    ///
    /// /// Ends the import once everything has been imported.
    /// fn finish(ctx: &Context) -> Result<Flow, ControlError> {
    ///     if let Some(runner) = ctx.runner() {
    ///         runner.stop("import")?;
    ///     }
    ///     Ok(Flow::Done)
    /// }
    ///
    /// let runner = Runner::new();
    /// let import = Service::new("import", |ctx| while ctx.sleep(Duration::from_secs(1)) {});
    /// runner.register(import.ready(Ready::Started)).unwrap();
    /// runner.register(Service::of("finish", finish).requires("import")).unwrap();
    /// runner.start_all()?;
    /// runner.wait();
    /// assert_eq!(runner.status()["import"], State::Stopped);
    /// # Ok::<(), tina4_service::StartError>(())
    /// ```
    #[must_use]
    pub fn runner(&self) -> Option<Runner> {
        let env = &self.try_instance()?.env;
        // The thread that runs the service owns the engine, so it still exists.
        let engine = env.engine.get()?.upgrade()?.downcast::<Engine>().ok()?;
        let shared = Shared { engine, env: Arc::clone(env) };
        Some(Runner { shared, keep_running: None, requester: None, counts_jobs: true })
    }
}
