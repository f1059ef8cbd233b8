//! The settings of a runner.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::pool::Pool;
use crate::engine::supervisor::Supervisor;
use crate::plan::fault::MIN_STACK_SIZE;
use crate::plan::selection::Selection;
use crate::runner::runner::Runner;
use crate::runner::shared::{KeepRunning, Shared};
use crate::service::definition::Definition;
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use crate::service::registration::declared;
use crate::service::resources::Resources;
use crate::service::settings::SettingsCache;
use crate::sys::fork::Owner;
#[cfg(feature = "tokio")]
use crate::sys::runtime::{Handle, RuntimeSlot};
use crate::sys::threads::{ThreadConfig, start_worker};
use crate::time::clock::Clock;
use crate::time::zone::Zone;

/// The default of [`Builder::shutdown_timeout`].
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(25);

/// The valid sizes of a stack. Every C library refuses more than a quarter of the address space, and
/// `std` may panic on such a size.
const STACK_SIZES: RangeInclusive<usize> = MIN_STACK_SIZE..=usize::MAX / 4;

/// Settings of a [`Runner`]: which services, which clock, how many threads.
///
/// ```
/// use std::time::Duration;
/// use tina4_service::Runner;
///
/// let runner = Runner::builder()
///     .except(["daily_report"])
///     .shutdown_timeout(Duration::from_secs(10))
///     .build();
/// # let _ = runner;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` or `build_global`"]
pub struct Builder {
    clock: Clock,
    tolerance: Duration,
    shutdown_timeout: Duration,
    include_declared: bool,
    only: Option<BTreeSet<String>>,
    except: BTreeSet<String>,
    threads: ThreadConfig,
    local: Option<Zone>,
    #[cfg(feature = "tokio")]
    runtime: Option<Handle>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            tolerance: Duration::ZERO,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
            include_declared: true,
            only: None,
            except: BTreeSet::new(),
            threads: ThreadConfig {
                name_prefix: "tina4".to_owned(),
                max_count: None,
                stack_size: None,
                start: start_worker,
            },
            local: None,
            #[cfg(feature = "tokio")]
            runtime: None,
        }
    }
}

impl Builder {
    /// Sets the clock. Default: the system clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the `tolerance` of services that do not set it: how long after its due time a run may
    /// begin, to share a wake-up with others. Default: zero, so that runs begin on time.
    ///
    /// It applies to services with a longer period (the interval, the delay, or the shortest time
    /// between two occurrences of `cron`); the others, and continuous services, are not affected.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Runner, Service};
    ///
    /// // Wakes up at most ten times a second, except for services that say otherwise.
    /// let runner = Runner::builder().tolerance(Duration::from_millis(100)).build();
    /// runner.register(Service::new("poll", |_| {}).interval("5s"));
    /// runner.register(Service::new("metronome", |_| {}).interval("5s").tolerance("1ms")).unwrap();
    /// runner.check().unwrap();
    /// ```
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets how long `stop_all` may take. Default: 25 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Selects only these declared services. An unknown name is a fault at start.
    pub fn only<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.only.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Excludes these declared services. An unknown name is a fault at start.
    pub fn except<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// Limits the number of threads; 0 counts as 1. Default: no limit.
    ///
    /// Without a limit, the runner uses one thread for each service that blocks, plus one that waits
    /// for the next due time. With a limit, services that block can delay others.
    pub fn max_threads(mut self, max: usize) -> Self {
        self.threads.max_count = Some(max.max(1));
        self
    }

    /// Sets the prefix of the names of threads; a number follows. Default: `tina4`.
    ///
    /// NUL bytes, which are invalid in a thread's name, are removed. Linux shows the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.threads.name_prefix = name.into().replace('\0', "");
        self
    }

    /// Sets the stack size of each thread, in bytes. Default: the default of `std`.
    ///
    /// This is 2 MiB, unless the environment variable `RUST_MIN_STACK` sets another one. All
    /// services of a runner share its threads, so the stack must hold the deepest recursion of any of
    /// them. A size below 64 KiB, or above a quarter of the address space, is a fault at start; a
    /// size that the operating system refuses is [`StartError::NoThread`](crate::StartError::NoThread).
    ///
    /// ```
    /// use tina4_service::{Flow, Runner, Service};
    ///
    /// fn depth(n: u64) -> u64 {
    ///     if n == 0 { 0 } else { std::hint::black_box(depth(n - 1) + 1) }
    /// }
    ///
    /// let runner = Runner::builder().stack_size(64 * 1024 * 1024).build();
    /// runner.register(Service::new("parser", |_| assert_eq!(depth(100_000), 100_000))).unwrap();
    /// runner.start_all().unwrap();
    /// runner.wait();
    /// assert_eq!(runner.services()[0].crashes, 0);
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.threads.stack_size = Some(bytes);
        self
    }

    /// Sets the tokio runtime that executes async services.
    ///
    /// Default: the runtime in which the first `start_all` or `start` is called; outside of any, a small
    /// runtime with two threads that belongs to the runner. A runner without async services uses none.
    ///
    /// ```
    /// use tina4_service::{Context, Flow, Runner, Service};
    ///
    /// async fn hello(ctx: &Context) -> Flow {
    ///     println!("{}", ctx.name());
    ///     Flow::Done
    /// }
    ///
    /// let runtime = tokio::runtime::Runtime::new()?;
    /// let runner = Runner::builder().runtime(runtime.handle().clone()).build();
    /// runner.register(Service::of("hello", hello))?;
    /// runner.start_all()?;
    /// runner.wait();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(all(feature = "tokio", not(shuttle)))]
    pub fn runtime(mut self, runtime: tokio::runtime::Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Sets the executor of the model checker that executes async services.
    #[cfg(all(feature = "tokio", test, shuttle))]
    pub(crate) fn model_runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Sets the zone that `timezone = "local"` stands for, instead of the machine's own.
    #[cfg(feature = "testing")]
    pub(crate) fn local_zone(mut self, zone: Zone) -> Self {
        self.local = Some(zone);
        self
    }

    fn without_declared(mut self) -> Self {
        self.include_declared = false;
        self
    }

    /// Whether the clock is not the system clock.
    pub(crate) fn has_virtual_clock(&self) -> bool {
        self.clock.is_virtual()
    }

    /// Creates the runner; nothing starts yet.
    #[must_use]
    pub fn build(self) -> Runner {
        let Self {
            clock,
            tolerance,
            shutdown_timeout,
            include_declared,
            only,
            except,
            threads,
            local,
            #[cfg(feature = "tokio")]
            runtime,
        } = self;
        let known = if include_declared { declared() } else { Vec::new() };
        let names: BTreeSet<&str> = known.iter().map(|registration| registration.name).collect();
        let requested = only.iter().flatten().chain(&except);
        let unknown = requested.filter(|name| !names.contains(name.as_str())).cloned().collect();
        let is_selected = |name: &str| {
            only.as_ref().is_none_or(|only| only.contains(name)) && !except.contains(name)
        };
        let (selected, excluded): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|registration| is_selected(registration.name));
        let wants_declared = include_declared && only.as_ref().is_none_or(|only| !only.is_empty());
        let selection = Selection {
            wants_declared,
            excluded: excluded.into_iter().map(Definition::Declared).collect(),
            unknown,
            invalid_stack_size: threads.stack_size.filter(|bytes| !STACK_SIZES.contains(bytes)),
        };
        let env = Arc::new(Environment {
            clock: clock.clone(),
            resources: Resources::default(),
            settings_cache: SettingsCache::default(),
            engine: OnceLock::new(),
            local_zone: local,
            tolerance,
            shutdown_timeout,
            exiting: false.into(),
            log_is_slow: false.into(),
            ready_listener: OnceLock::new(),
            #[cfg(feature = "tokio")]
            has_tasks: false.into(),
            #[cfg(feature = "tokio")]
            runtime: RuntimeSlot::new(runtime, threads.name_prefix.clone()),
            #[cfg(feature = "tokio")]
            task_listener: OnceLock::new(),
            #[cfg(feature = "signals")]
            received: crate::sys::received_signals::ReceivedSignals::default(),
            owner: Owner::default(),
        });
        let supervisor = Supervisor::new(Arc::clone(&env), selection);
        let engine = Pool::new(supervisor, clock.clone(), threads);
        let weak: Weak<Engine> = Arc::downgrade(&engine);
        let first = env.engine.set(weak);
        debug_assert!(first.is_ok(), "the environment is new");
        let instance = |registration| {
            Arc::new(Instance::new(Definition::Declared(registration), Arc::clone(&env)))
        };
        let declared = selected.into_iter().map(instance).collect();
        engine.with(|supervisor, now| supervisor.add_declared(declared, now));
        let driven: Weak<Engine> = Arc::downgrade(&engine);
        clock.attach(driven);
        let listener: Weak<Engine> = Arc::downgrade(&engine);
        let _ = env.ready_listener.set(listener);
        #[cfg(feature = "tokio")]
        {
            let listener: Weak<Engine> = Arc::downgrade(&engine);
            let _ = env.task_listener.set(listener);
        }
        let shared = Shared { engine, env };
        let keep_running = Some(Arc::new(KeepRunning(shared.clone())));
        Runner { shared, keep_running }
    }
}

impl Runner {
    /// Creates a runner without services; [`Runner::register`] adds them.
    #[must_use]
    pub fn new() -> Self {
        Builder::default().without_declared().build()
    }

    /// Creates settings for a runner with all declared services, or some of them.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}
