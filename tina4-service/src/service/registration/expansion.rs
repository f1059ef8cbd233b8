//! How the attribute's expansion builds a [`Registration`]: `new` takes the description of the function,
//! and each setting that differs from its default is one method call, named after its key.
//!
//! Method calls instead of a struct with `..Registration::new(..)`: the update syntax would drop the
//! unused fields of the base. That is not allowed in a constant, because a schedule may own its text.

use std::mem;
use std::panic::Location;
use std::time::Duration;

use tina4_service_core::{OnTimeout, Ready, Restart, Schedule, Spec};

#[cfg(feature = "tokio")]
use super::AsyncCall;
use super::{Dependency, Registration, id_of};
use crate::service::outcome::Exit;
use crate::service::params::hook::DynHook;
use crate::service::params::{Invocation, Need};
#[cfg(feature = "queue")]
use crate::service::queue_binding::QueueBinding;
use crate::sys::place::Place;

/// Exports a macro, so that a second macro with the same name in the crate is an error: see `unique.rs`
/// in `tina4-service-macros`.
///
/// The attribute passes the whole macro. If it passed only the name, the compiler would point at the
/// two attributes instead of the two names in them.
#[doc(hidden)]
#[macro_export]
macro_rules! __unique {
    ($($empty_macro:tt)+) => {
        #[doc(hidden)]
        #[allow(non_local_definitions, reason = "the name of a service inside a function is unique, too")]
        #[macro_export]
        $($empty_macro)+
    };
}

/// Submits a registration to `inventory`.
///
/// The registration is a separate constant, because `inventory` declares items around its argument,
/// which would shadow a service of the same name.
#[doc(hidden)]
#[macro_export]
macro_rules! __submit {
    ($($registration:tt)+) => {
        const TINA4_SERVICE_REGISTRATION: $crate::__private::Registration = $($registration)+;
        $crate::__private::inventory::submit! { TINA4_SERVICE_REGISTRATION }
    };
}

impl Registration {
    /// A service with default settings; `at` is the location of the attribute.
    ///
    /// `needs` comes before `call`. The arguments for both require the same trait of each parameter, and
    /// the compiler reports only the first violation, whose message is better for `needs`.
    pub const fn new<F: 'static>(
        name: &'static str,
        path: &'static str,
        at: &'static Location<'static>,
        function: &F,
        needs: &'static [Need],
        call: fn(&Invocation<'_>) -> Exit,
    ) -> Self {
        Self {
            name,
            spec: Spec::DEFAULT,
            place: Place::from_location(at),
            path,
            id: id_of(function),
            after: &[],
            requires: &[],
            needs,
            call,
            #[cfg(feature = "tokio")]
            call_async: None,
            on_stop: None,
            tags: &[],
            #[cfg(feature = "queue")]
            queue: None,
            #[cfg(feature = "queue")]
            on_dead: None,
        }
    }

    /// [`Registration::new`] for an async function.
    #[cfg(feature = "tokio")]
    pub const fn new_async<F: 'static>(
        name: &'static str,
        path: &'static str,
        at: &'static Location<'static>,
        function: &F,
        needs: &'static [Need],
        call: AsyncCall,
    ) -> Self {
        let plain =
            |_: &Invocation<'_>| unreachable!("an async function is not called on a thread");
        let mut registration = Self::new(name, path, at, function, needs, plain);
        registration.call_async = Some(call);
        registration
    }

    /// Sets when the service runs.
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        // A `const fn` cannot drop the old schedule.
        mem::forget(mem::replace(&mut self.spec.schedule, schedule));
        self
    }

    /// Sets how long after its due time a run may begin.
    pub const fn tolerance(mut self, tolerance: Duration) -> Self {
        self.spec.tolerance = Some(tolerance);
        self
    }

    /// Sets the pause before the first run.
    pub const fn initial_delay(mut self, initial_delay: Duration) -> Self {
        self.spec.initial_delay = initial_delay;
        self
    }

    /// Sets the maximum of the random delay of each run.
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.spec.jitter = jitter;
        self
    }

    /// Sets the time after which a run is reported as stuck.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.spec.timeout = Some(timeout);
        self
    }

    /// Sets whether a run that exceeds its timeout is also cancelled.
    pub const fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.spec.on_timeout = on_timeout;
        self
    }

    /// Sets when the service is restarted.
    pub const fn restart(mut self, restart: Restart) -> Self {
        self.spec.restart_policy.restart = restart;
        self
    }

    /// Sets the maximum number of restarts.
    pub const fn max_restarts(mut self, max_restarts: u32) -> Self {
        self.spec.restart_policy.max_restarts = Some(max_restarts);
        self
    }

    /// Sets the sliding window in which restarts are counted.
    pub const fn restart_window(mut self, restart_window: Duration) -> Self {
        self.spec.restart_policy.window = Some(restart_window);
        self
    }

    /// Sets the delay before the first restart in a row.
    pub const fn backoff(mut self, backoff: Duration) -> Self {
        self.spec.restart_policy.backoff = backoff;
        self
    }

    /// Sets the longest delay before a restart.
    pub const fn max_backoff(mut self, max_backoff: Duration) -> Self {
        self.spec.restart_policy.max_backoff = max_backoff;
        self
    }

    /// Sets how long a stop waits for the service.
    pub const fn stop_timeout(mut self, stop_timeout: Duration) -> Self {
        self.spec.stop_timeout = stop_timeout;
        self
    }

    /// Sets whether `start_all` starts the service.
    pub const fn autostart(mut self, autostart: bool) -> Self {
        self.spec.autostart = autostart;
        self
    }

    /// Sets whether a failure of the service shuts the runner down.
    pub const fn critical(mut self, critical: bool) -> Self {
        self.spec.critical = critical;
        self
    }

    /// Sets when the service counts as ready.
    pub const fn ready(mut self, ready: Ready) -> Self {
        self.spec.ready = Some(ready);
        self
    }

    /// Sets the services that it comes after.
    pub const fn after(mut self, after: &'static [Dependency<'static>]) -> Self {
        self.after = after;
        self
    }

    /// Sets the services that must be ready first.
    pub const fn requires(mut self, requires: &'static [Dependency<'static>]) -> Self {
        self.requires = requires;
        self
    }

    /// Sets the clean-up function.
    pub const fn on_stop(mut self, on_stop: &'static dyn DynHook) -> Self {
        self.on_stop = Some(on_stop);
        self
    }

    /// Sets the groups that it belongs to.
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Sets the queue whose jobs it works on.
    #[cfg(feature = "queue")]
    pub const fn queue(mut self, queue: QueueBinding) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Sets the function that is told of each dead job.
    #[cfg(feature = "queue")]
    pub const fn on_dead(mut self, on_dead: &'static dyn DynHook) -> Self {
        self.on_dead = Some(on_dead);
        self
    }
}

#[cfg(test)]
mod tests {
    use tina4_service_core::RestartPolicy;

    use super::*;
    use crate::service::params::hook::OnStop;

    #[test]
    fn each_method_sets_its_field() {
        fn clean_up() {}
        let second = Duration::from_secs;
        let at = Location::caller();
        let found = Registration::new("name", "path", at, &(), &[], |_| unreachable!())
            .schedule(Schedule::Delay(second(1)))
            .tolerance(second(10))
            .initial_delay(second(2))
            .jitter(second(3))
            .timeout(second(4))
            .on_timeout(OnTimeout::Cancel)
            .restart(Restart::Always)
            .max_restarts(5)
            .restart_window(second(6))
            .backoff(second(7))
            .max_backoff(second(8))
            .stop_timeout(second(9))
            .autostart(false)
            .critical(true)
            .ready(Ready::Finished)
            .after(&[Dependency::Name("other")])
            .requires(&[Dependency::Name("first")])
            .on_stop(const { &OnStop::new(clean_up) })
            .tags(&["mail"]);
        let expected = Spec {
            schedule: Schedule::Delay(second(1)),
            tolerance: Some(second(10)),
            initial_delay: second(2),
            jitter: second(3),
            timeout: Some(second(4)),
            on_timeout: OnTimeout::Cancel,
            restart_policy: RestartPolicy {
                restart: Restart::Always,
                max_restarts: Some(5),
                window: Some(second(6)),
                backoff: second(7),
                max_backoff: second(8),
            },
            stop_timeout: second(9),
            autostart: false,
            critical: true,
            ready: Some(Ready::Finished),
        };
        assert_eq!(found.spec, expected);
        assert_eq!((found.name, found.path, found.place), ("name", "path", at.into()));
        assert_eq!(found.after, [Dependency::Name("other")]);
        assert_eq!(found.requires, [Dependency::Name("first")]);
        assert!(format!("{:?}", found.on_stop).contains("clean_up"));
        assert_eq!(found.tags, ["mail"]);
    }
}
