//! What a program answers at `/livez`, `/readyz` and `/health`.

use crate::engine::supervisor::readiness::CHECKS_PER_STEP;
use crate::observe::health::Health;
use crate::observe::readiness::Readiness;
#[cfg(feature = "signals")]
use crate::observe::readiness::after_signal;
#[cfg(feature = "signals")]
use crate::process::signals::waiter_guard::unreceived_signal;
use crate::runner::runner::Runner;

/// Why a forked child is not ready.
const FORKED: &str = "this process is a forked child";

/// Why a program is not ready whose engine is not live.
const NO_PROGRESS: &str = "its engine makes no progress";

/// Why a program is not ready whose engine does not let anybody read its services.
const NO_ANSWER: &str = "its engine does not answer";

impl Runner {
    /// Whether the engine makes progress: that what is due is begun. Answer 200 at `/livez` if so, and 503 if not.
    ///
    /// It says nothing about services, so restarting the program because of it is right: services that fail, block
    /// or take long do not change it, nor does a stop. It is `false` once checks have found for ten seconds that the
    /// same run is due and no thread takes it, or that the engine's lock is held. Each call is such a check; the time
    /// between two of them counts as five seconds at most, because the process may have been suspended meanwhile. So
    /// call it regularly: of calls that are ten seconds apart, the third says so. With
    /// [`max_threads`](crate::Builder::max_threads), threads that all are busy count as an engine that makes progress.
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
    /// It is ready once each service with `autostart` is ready, has failed or ended, or waits for a time: for its
    /// schedule, its jitter or its `initial_delay`. So a start waits for first runs, and for what has to come before
    /// them, but no failure keeps a program from becoming ready. A first run that crashes is a failure, too, unless the service
    /// says when it is ready (`ready = "notified"` or `"finished"`): that one has failed once it is not restarted any
    /// more. After that the program stays ready, whatever services do,
    /// until it is asked to stop: from the first stop signal on, or once [`Runner::stop_all`] is called or a critical
    /// service has failed, it is not ready. Services that are disabled, paused or stopped do not matter.
    /// [`Builder::ready_needs`](crate::Builder::ready_needs) names services without which a program is never ready.
    ///
    /// It blocks for at most half a second, and only if the engine's lock is held all that time; then the program is not
    /// ready.
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
        let Ok(engine) = self.engine() else { return Readiness::refused(FORKED) };
        let readiness = engine.peek(|supervisor, now| supervisor.readiness(now));
        let readiness = readiness.unwrap_or_else(|| Readiness::refused(NO_ANSWER));
        // Nobody may have told the supervisor of it: the runner has no waiter, or none at present.
        #[cfg(feature = "signals")]
        if readiness.runner.is_none()
            && let Some(signal) = unreceived_signal(&self.shared.env)
        {
            return Readiness::refused(after_signal(signal));
        }
        readiness
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
            return Health::new(false, Readiness::refused(FORKED), Vec::new());
        };
        if !engine.is_live() {
            return Health::new(false, Readiness::refused(NO_PROGRESS), Vec::new());
        }
        let mut readiness = self.readiness();
        // perf: in steps, because there may be a hundred thousand services, and runs need the lock.
        let (mut unhealthy, mut from) = (Vec::new(), Some(0));
        while let Some(index) = from {
            let reading = self.shared.env.clock.wall_reading();
            let step = engine
                .peek(|supervisor, now| supervisor.unhealthy(index, CHECKS_PER_STEP, now, reading));
            let Some((found, next)) = step else {
                readiness = Readiness::refused(NO_ANSWER);
                break;
            };
            unhealthy.extend(found);
            from = next;
        }
        Health::new(true, readiness, unhealthy)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;
    use crate::observe::health::HealthStatus;
    use crate::service::builder::Service;
    use crate::time::clock::Clock;

    /// A probe must not occupy the thread that answers it for ever.
    #[test]
    fn rule_112_probes_answer_although_the_lock_is_never_released() {
        let runner = Runner::builder().only::<&str>([]).build();
        runner.register(Service::new("later", |_| {}).interval("1h").initial_delay("1h")).unwrap();
        runner.start_all().unwrap();
        assert!(runner.readiness().is_ready);
        let (held, is_held) = bounded(0);
        let (release, released) = bounded::<()>(0);
        let holder = runner.clone();
        let hold = move || {
            holder.engine().unwrap().with(|_, _| {
                held.send(()).unwrap();
                let _ = released.recv();
            });
        };
        crate::sys::threads::start_thread("holder".to_owned(), Box::new(hold)).unwrap();
        is_held.recv().unwrap();
        assert_eq!(runner.readiness(), Readiness::refused(NO_ANSWER));
        let health = runner.health();
        assert_eq!((health.status, health.is_live), (HealthStatus::Down, true));
        assert_eq!(health.to_string(), "down\nthe runner: its engine does not answer\n");
        // Once it has been held for ten seconds, the engine is not live.
        let engine = runner.engine().unwrap();
        let from = Clock::system().now();
        assert!((0..=10).any(|second| !engine.is_live_at(from + second * 1_000_000_000)));
        let health = runner.health();
        assert_eq!((health.status, health.is_live), (HealthStatus::Down, false));
        assert_eq!(health.to_string(), "down\nthe runner: its engine makes no progress\n");
        drop(release);
        while !runner.readiness().is_ready {
            crate::sys::sync::yield_now();
        }
        assert_eq!(runner.health().status, HealthStatus::Ok);
    }
}
