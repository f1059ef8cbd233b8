//! The settings of a runner.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::pool::Pool;
use crate::engine::supervisor::Supervisor;
use crate::observe::notice::Notice;
use crate::observe::notice_queue::NoticeFn;
use crate::plan::fault::MIN_STACK_SIZE;
use crate::plan::selection::Selection;
use crate::runner::runner::Runner;
use crate::runner::shared::{KeepRunning, Shared};
use crate::service::definition::Definition;
use crate::service::deployment::Deployment;
use crate::service::deployment::selectors::Selectors;
use crate::service::deployment::settings::Settings;
use crate::service::deployment::variables::Variables;
use crate::service::environment::Environment;
use crate::service::history_limits::HistoryLimits;
use crate::service::instance::Instance;
use crate::service::registration::declared;
use crate::service::resources::Resources;
use crate::service::settings::SettingsCache;
use crate::sys::env_vars::process_variables;
use crate::sys::fork::Owner;
use crate::sys::pending_threads::PendingThreads;
#[cfg(feature = "tokio")]
use crate::sys::runtime::Handle;
#[cfg(feature = "tokio")]
use crate::sys::runtime_slot::RuntimeSlot;
use crate::sys::threads::{ThreadConfig, start_worker};
use crate::time::clock::Clock;
use crate::time::zone::Zone;

/// The default of [`Builder::shutdown_timeout`].
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(25);

/// The default of [`Builder::unhealthy_after`].
const UNHEALTHY_AFTER: u32 = 3;

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
    quiesce: Duration,
    ready_needs: Vec<String>,
    systemd: bool,
    dump_on_sigusr1: bool,
    unhealthy_after: u32,
    history: HistoryLimits,
    include_declared: bool,
    only: Option<Vec<String>>,
    except: Vec<String>,
    /// `None`: those of the process.
    env_vars: Option<Vec<(OsString, OsString)>>,
    env_prefix: String,
    settings: Settings,
    threads: ThreadConfig,
    local: Option<Zone>,
    hooks: Vec<NoticeFn>,
    #[cfg(feature = "tokio")]
    runtime: Option<Handle>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            tolerance: Duration::ZERO,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
            quiesce: Duration::ZERO,
            ready_needs: Vec::new(),
            systemd: true,
            dump_on_sigusr1: false,
            unhealthy_after: UNHEALTHY_AFTER,
            history: HistoryLimits::new(),
            include_declared: true,
            only: None,
            except: Vec::new(),
            env_vars: None,
            env_prefix: "TINA4".to_owned(),
            settings: Settings::default(),
            threads: ThreadConfig {
                name_prefix: "tina4".to_owned(),
                max_count: None,
                stack_size: None,
                start: start_worker,
            },
            local: None,
            hooks: Vec::new(),
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

    /// Sets how long services keep running after a stop signal, while the program answers that it is not ready. Default:
    /// zero.
    ///
    /// A load balancer needs a moment until it sends no more requests; five seconds are usual. Without it, requests
    /// that arrive meanwhile meet a program whose services have stopped. It applies to [`Runner::run`] and to
    /// [`Runner::wait_for_signal`], which returns once the time has passed. [`Runner::readiness`] says from the signal
    /// on that the program is not ready. A second signal, 250 ms or more after the first, ends the time at once, and a
    /// third one the process. It also ends once no service is active any more, or the runner is stopped otherwise.
    ///
    /// The time precedes the [shutdown timeout](Builder::shutdown_timeout), and `run` may take another second. Whoever
    /// runs the program must give it more than the sum: Kubernetes gives 30 s, which is less than 5 s + 25 s + 1 s. So
    /// set `terminationGracePeriodSeconds: 40`, with systemd `TimeoutStopSec=40`, with Docker `--stop-timeout 40`, or
    /// else a shorter shutdown timeout, such as 20 s.
    ///
    /// The variable `TINA4_SERVICES__QUIESCE` sets the same.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::Runner;
    ///
    /// let runner = Runner::builder().quiesce(Duration::from_secs(5)).build();
    /// # let _ = runner;
    /// ```
    #[cfg(feature = "signals")]
    pub fn quiesce(mut self, quiesce: Duration) -> Self {
        self.quiesce = quiesce;
        self
    }

    /// Sets whether [`Runner::run`] tells systemd about the program. Default: `true`.
    ///
    /// See the chapter [`systemd`](crate::systemd). Without the variable `NOTIFY_SOCKET`, which systemd sets for units with
    /// `Type=notify`, and on other systems than Linux, nothing is told anyway. A program with several runners turns
    /// it off for all but one.
    ///
    /// ```
    /// use tina4_service::Runner;
    ///
    /// let runner = Runner::builder().only::<&str>([]).systemd(false).build();
    /// # let _ = runner;
    /// ```
    #[cfg(feature = "systemd")]
    pub fn systemd(mut self, systemd: bool) -> Self {
        self.systemd = systemd;
        self
    }

    /// Adds services without which the program is not [ready](Runner::readiness). A word that matches none is a fault
    /// at start.
    ///
    /// A word is the name of a service, `tag:` with a tag, or `all`; with a `!` before it, a name or a tag excludes.
    /// The program is not ready while one of these services is not ready itself, whether it is starting, waits for its
    /// [`initial_delay`](crate::Service::initial_delay), has failed, was abandoned, is blocked, or was never started. So it is stricter than
    /// for other services, of which only the first start counts, and no delay: a restart of a service that is needed makes the
    /// program unready until the service is ready again. One with `cron`, `anchor` or a queue is ready once it is planned.
    /// One that somebody has paused or stopped, that is disabled, or that runs elsewhere is not needed.
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::builder().only::<&str>([]).ready_needs(["tag:orders"]).build();
    /// let orders = Service::new("orders", |_| Err::<(), _>("no database")).max_restarts(0);
    /// runner.register(orders.tags(["orders"]))?;
    /// runner.start_all()?;
    /// runner.wait();
    /// assert_eq!(runner.readiness().waiting_for[0].why, "it has failed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ready_needs<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.ready_needs.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets after how many consecutive crashes a service is unhealthy; 0: never. Default: 3.
    ///
    /// See [`ServiceInfo::is_healthy`](crate::ServiceInfo::is_healthy).
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// // A single crash is worth a look.
    /// let runner = Runner::builder().unhealthy_after(1).build();
    /// let payments = Service::new("payments", |_| Err::<(), _>("no connection"));
    /// runner.register(payments.interval("1m").backoff("1m").max_backoff("1m"))?;
    /// runner.start_all()?;
    /// while runner.services()[0].crashes == 0 {
    ///     std::thread::yield_now();
    /// }
    /// assert!(!runner.services()[0].is_healthy());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unhealthy_after(mut self, crashes: u32) -> Self {
        self.unhealthy_after = crashes;
        self
    }

    /// Sets how many past runs are remembered, for [`Runner::history`]. Default: 20 and, in addition, 5 failures of
    /// each service, and 10,000 runs in all.
    ///
    /// ```
    /// use tina4_service::{HistoryLimits, Runner};
    ///
    /// let runner = Runner::builder().history(HistoryLimits::off()).build();
    /// # let _ = runner;
    /// ```
    pub fn history(mut self, limits: HistoryLimits) -> Self {
        self.history = limits;
        self
    }

    /// Adds a function that is called for each change that people want to be told of. Default: none.
    ///
    /// See [`Runner::on_change`], which does the same for a runner that exists.
    ///
    /// ```
    /// use tina4_service::Runner;
    ///
    /// let runner = Runner::builder().on_change(|notice| eprintln!("{notice}")).build();
    /// # let _ = runner;
    /// ```
    pub fn on_change(mut self, hook: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.hooks.push(NoticeFn::new(hook));
        self
    }

    /// Sets whether SIGUSR1 makes the runner write a table of its services to the log. Default: `false`.
    ///
    /// The handler is installed when the runner first starts a service, and stays. Without it, the signal ends
    /// the program. The variable `TINA4_SERVICES__DUMP_ON_SIGUSR1` sets the same. Windows has no such signal:
    /// this has no effect there, and a variable with `true` is a fault.
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::builder().dump_on_sigusr1(true).build();
    /// runner.register(Service::new("heartbeat", |_| {}).interval("30s"))?;
    /// runner.start_all()?; // `kill -USR1 <pid>` now lists `heartbeat`
    /// runner.stop_all();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "signals")]
    pub fn dump_on_sigusr1(mut self, dump: bool) -> Self {
        self.dump_on_sigusr1 = dump;
        self
    }

    /// Selects only these declared services. A word that matches none is a fault at start.
    ///
    /// A word is the name of a service, `tag:` with a tag, `all`, or `none`; with a `!` before it, a name
    /// or a tag excludes. The variable `TINA4_SERVICES` and [`Settings::select`] replace the selection of the
    /// code.
    ///
    /// ```
    /// use tina4_service::{Runner, service};
    ///
    /// #[service(interval = "1m", tags = ["mail"])]
    /// fn send() {}
    ///
    /// #[service(interval = "1h", tags = ["mail", "slow"])]
    /// fn sort() {}
    ///
    /// let runner = Runner::builder().only(["tag:mail", "!tag:slow"]).build();
    /// let plan = runner.check()?;
    /// assert_eq!(plan.services().iter().map(|service| &*service.name).collect::<Vec<_>>(), ["send"]);
    /// # Ok::<(), tina4_service::StartError>(())
    /// ```
    pub fn only<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.only.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Excludes these declared services. A word that matches none is a fault at start.
    ///
    /// A word is the name of a service, or `tag:` with a tag; see [`Builder::only`].
    pub fn except<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets settings that replace those of the code; see [`Settings`]. Default: none.
    ///
    /// Environment variables take precedence over them.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the environment variables to read, instead of those of the process.
    ///
    /// They are read once, when the runner is built. An empty list turns settings from the environment off.
    /// What the variables mean is described in the chapter [`deployment`](crate::deployment).
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let variables = [("TINA4_SERVICES__HEARTBEAT__INTERVAL", "5s")];
    /// let runner = Runner::builder().env_vars(variables).build();
    /// runner.register(Service::new("heartbeat", |_| {}).interval("30s"))?;
    /// assert_eq!(runner.services()[0].schedule.to_string(), "every 5s");
    /// assert_eq!(
    ///     runner.services()[0].overridden[0].to_string(),
    ///     "interval = 5s instead of 30s (`TINA4_SERVICES__HEARTBEAT__INTERVAL`)",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn env_vars<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.env_vars = Some(variables.map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Sets what the names of environment variables begin with, before `_SERVICES`. Default: `TINA4`.
    ///
    /// With `"SHOP"`, the variables are `SHOP_SERVICES` and `SHOP_SERVICES__<SERVICE>__<KEY>`. A program with
    /// several runners gives each its own, because a variable for a service that a runner does not have is a
    /// fault.
    pub fn env_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.env_prefix = prefix.into();
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
            quiesce,
            ready_needs,
            systemd,
            dump_on_sigusr1,
            unhealthy_after,
            history,
            include_declared,
            only,
            except,
            env_vars,
            env_prefix,
            settings,
            threads,
            local,
            hooks,
            #[cfg(feature = "tokio")]
            runtime,
        } = self;
        let variables = Variables::read(&env_prefix, env_vars.unwrap_or_else(process_variables));
        let deployment = Deployment::new(variables, settings);
        let code_shutdown_timeout = shutdown_timeout;
        let shutdown_timeout = deployment.shutdown_timeout().unwrap_or(code_shutdown_timeout);
        let code_quiesce = quiesce;
        let quiesce = deployment.quiesce().unwrap_or(code_quiesce);
        let code_dump_on_sigusr1 = dump_on_sigusr1;
        let dump_on_sigusr1 = deployment.dump_on_sigusr1().unwrap_or(code_dump_on_sigusr1);
        let code_unhealthy_after = unhealthy_after;
        let unhealthy_after = deployment.unhealthy_after().unwrap_or(code_unhealthy_after);
        let selectors = match deployment.selectors() {
            Some(selectors) => Some(Arc::clone(selectors)),
            None => Selectors::of_code(only.as_deref(), &except).map(Arc::new),
        };
        // `only` with an empty list means a runner without declared services, whatever the deployment selects.
        let wants_declared = include_declared && only.as_ref().is_none_or(|only| !only.is_empty());
        let env = Arc::new(Environment {
            clock: clock.clone(),
            resources: Resources::default(),
            settings_cache: SettingsCache::default(),
            engine: OnceLock::new(),
            local_zone: local,
            tolerance,
            shutdown_timeout,
            code_shutdown_timeout,
            ready_needs: Selectors::of_ready_needs(&ready_needs),
            systemd,
            quiesce,
            code_quiesce,
            dump_on_sigusr1,
            code_dump_on_sigusr1,
            unhealthy_after,
            code_unhealthy_after,
            built_at: clock.now(),
            history,
            deployment,
            #[cfg(feature = "run-log")]
            run_log: Arc::default(),
            exiting: false.into(),
            log_is_slow: false.into(),
            crash_printer: OnceLock::new(),
            pending_threads: PendingThreads::default(),
            ready_listener: OnceLock::new(),
            #[cfg(feature = "tokio")]
            has_tasks: false.into(),
            #[cfg(feature = "tokio")]
            runtime: RuntimeSlot::new(runtime, threads.name_prefix.clone()),
            #[cfg(feature = "tokio")]
            task_listener: OnceLock::new(),
            #[cfg(feature = "signals")]
            received: crate::sys::received_signals::ReceivedSignals::default(),
            #[cfg(feature = "signals")]
            may_quiesce: Arc::new((!quiesce.is_zero()).into()),
            #[cfg(feature = "queue")]
            job_listener: OnceLock::new(),
            owner: Owner::default(),
        });
        let known = if include_declared { declared() } else { Vec::new() };
        let instance = |registration| {
            let definition = if wants_declared {
                Definition::declared(registration, &env.deployment)
            } else {
                Definition::Declared(registration)
            };
            Arc::new(Instance::new(definition, Arc::clone(&env)))
        };
        let is_selected = |instance: &Arc<Instance>| {
            let Instance { definition, .. } = &**instance;
            let select = |selectors: &Arc<Selectors>| {
                selectors.selects(definition.name_str(), &definition.tags())
            };
            wants_declared && selectors.as_ref().is_none_or(select)
        };
        let (selected, excluded): (Vec<_>, Vec<_>) =
            known.into_iter().map(instance).partition(is_selected);
        let invalid_stack_size = threads.stack_size.filter(|bytes| !STACK_SIZES.contains(bytes));
        let selection = Selection { wants_declared, excluded, selectors, invalid_stack_size };
        let supervisor = Supervisor::new(Arc::clone(&env), selection);
        let engine = Pool::new(supervisor, clock.clone(), threads);
        let weak: Weak<Engine> = Arc::downgrade(&engine);
        let first = env.engine.set(weak);
        debug_assert!(first.is_ok(), "the environment is new");
        engine.with(|supervisor, now| supervisor.add_declared(selected, now));
        let driven: Weak<Engine> = Arc::downgrade(&engine);
        clock.attach(driven);
        let listener: Weak<Engine> = Arc::downgrade(&engine);
        let _ = env.ready_listener.set(listener);
        #[cfg(feature = "tokio")]
        {
            let listener: Weak<Engine> = Arc::downgrade(&engine);
            let _ = env.task_listener.set(listener);
        }
        #[cfg(feature = "queue")]
        {
            let listener: Weak<Engine> = Arc::downgrade(&engine);
            let _ = env.job_listener.set(listener);
        }
        let shared = Shared { engine, env };
        let keep_running = Some(Arc::new(KeepRunning(shared.clone())));
        let runner = Runner { shared, keep_running, requester: None, counts_jobs: true };
        for hook in hooks {
            runner.add_hook(hook);
        }
        runner
    }
}

impl Runner {
    /// Creates a runner without services; [`Runner::register`] adds them.
    ///
    /// Like those of any runner, its settings may come from the environment of the process: see the chapter
    /// [`deployment`](crate::deployment). A library that makes a runner for itself gives it a prefix of its own, or
    /// no variables at all, so that it does not react to those of the program:
    ///
    /// ```
    /// use tina4_service::Runner;
    ///
    /// let with_prefix = Runner::builder().only::<&str>([]).env_prefix("MYLIB").build();
    /// let without_variables = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).build();
    /// # drop((with_prefix, without_variables));
    /// ```
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
