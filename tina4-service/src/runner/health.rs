//! What a program answers at `/livez`, `/readyz` and `/health`.

use crate::engine::supervisor::readiness::LOOKS_PER_STEP;
use crate::observe::health::Health;
use crate::observe::readiness::Readiness;
use crate::runner::runner::Runner;
use crate::sys::fork::Forked;

impl Runner {
    /// Whether the engine moves: that what is due is begun. Answer 200 at `/livez` if so, and 503 if not.
    ///
    /// It says nothing about services, so restarting the program because of it is right: services that fail, block
    /// or take long do not change it, nor does a stop. It is `false` once the same run has been due for ten seconds
    /// without a thread that takes it, or the engine's lock was held for as long. Each call compares with the
    /// earlier ones, so call it regularly, such as every ten seconds. With
    /// [`max_threads`](crate::Builder::max_threads), threads that all are busy count as an engine that moves.
    ///
    /// It does not block, except for up to 50 ms if the engine's lock is held all that time. No code of the program
    /// ever holds it. In a forked child, which has no engine, it is `false`.
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("import", |_| Err::<(), _>("no disk")).max_restarts(0))?;
    /// runner.start_all()?;
    /// runner.wait();
    /// assert!(runner.is_live(), "a failed service is no reason for a restart of the program");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.engine().is_ok_and(|engine| engine.is_live())
    }

    /// Whether the program is ready for work from outside. Answer 200 at `/readyz` if so, and 503 if not.
    ///
    /// It is ready once each service with `autostart` is ready, has crashed or ended, or waits for a time: for its
    /// schedule, its jitter or its `initial_delay`. So a start waits for first runs, and for what has to come before
    /// them, but no failure keeps a program from becoming ready. After that it stays ready, whatever services do,
    /// until it is asked to stop: from the first stop signal on, or once [`Runner::stop_all`] is called or a critical
    /// service has failed, it is not ready. Services that are disabled, paused or stopped do not matter.
    /// [`Builder::ready_needs`](crate::Builder::ready_needs) names services without which a program is never ready.
    ///
    /// ```
    /// use tina4_service::{Ready, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("migrations", |_| println!("migrating")).ready(Ready::Finished))?;
    /// runner.register(Service::new("report", |_| println!("report")).interval("1h").initial_delay("1m"))?;
    /// assert!(!runner.readiness().is_ready);
    /// runner.start_all()?;
    /// runner.wait_ready("migrations")?;
    /// assert!(runner.readiness().is_ready);
    /// runner.stop_all();
    /// assert!(!runner.readiness().is_ready);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        match self.engine() {
            Ok(engine) => engine.with(|supervisor, now| supervisor.readiness(now)),
            Err(Forked) => Readiness::refused("this process is a forked child"),
        }
    }

    /// The health of the program, for people and monitors: one word, and what is wrong.
    ///
    /// `down` if the program is not [live](Runner::is_live) or not [ready](Runner::readiness); `degraded` if something is wrong
    /// with a service: it is not [healthy](crate::ServiceInfo::is_healthy), or is
    /// [overdue](crate::ServiceInfo::overdue); else `ok`. A service that is disabled, paused or stopped has no problem.
    ///
    /// Let an orchestrator ask for [`Runner::is_live`] and [`Runner::readiness`] instead: a service with a problem is
    /// seldom a reason to restart the others.
    ///
    /// ```
    /// use tina4_service::{HealthStatus, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("clock", |_| {}).interval("1h").initial_delay("1h"))?;
    /// runner.start_all()?;
    /// assert_eq!(runner.health().status, HealthStatus::Ok);
    /// runner.stop_all();
    /// assert_eq!(runner.health().to_string(), "down\nthe runner: it has been stopped\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        let Ok(engine) = self.engine() else {
            return Health::new(false, self.readiness(), Vec::new());
        };
        let is_live = engine.is_live();
        let readiness = self.readiness();
        // perf: in steps, because there may be a hundred thousand services, and runs need the lock.
        let (mut unhealthy, mut from) = (Vec::new(), Some(0));
        while let Some(index) = from {
            let reading = self.shared.env.clock.wall_reading();
            let step = engine
                .with(|supervisor, now| supervisor.unhealthy(index, LOOKS_PER_STEP, now, reading));
            unhealthy.extend(step.0);
            from = step.1;
        }
        Health::new(is_live, readiness, unhealthy)
    }
}
