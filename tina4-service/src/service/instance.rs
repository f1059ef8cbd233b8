//! A service in one runner: its definition, and the state that its code can access while it runs.
//!
//! The supervisor owns the life cycle. An instance owns the few things that the service's code accesses
//! without the pool's lock: atomics, and one small lock, held for a few instructions and never while
//! user code runs.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
#[cfg(feature = "tokio")]
use std::task::Waker;
#[cfg(feature = "testing")]
use std::time::Duration;

use crossbeam_channel::Receiver;
use tina4_service_core::lifecycle::RunKind;
use tina4_service_core::{AnchorError, Calendar, Ready, Schedule as CoreSchedule, Utc};

use crate::service::context::Context;
use crate::service::definition::Definition;
use crate::service::environment::Environment;
use crate::service::host::Host;
#[cfg(feature = "queue")]
use crate::service::job_control::JobControl;
#[cfg(feature = "queue")]
use crate::service::job_host::JobHost;
use crate::service::locals::{Discarded, LocalValue, Locals, SlotId};
#[cfg(feature = "queue")]
use crate::service::queue_state::QueueState;
use crate::service::registered_hooks::{RegisteredHook, RegisteredHooks};
use crate::service::resources::Resources;
use crate::service::time_settings::TimeSettings;
use crate::sys::log_target::LOG_TARGET;
#[cfg(feature = "tokio")]
use crate::sys::stop_flag::StopTicket;
use crate::sys::stop_flag::{Never, Sleepers, StopChannel, StopFlag};
use crate::sys::sync::{AtomicBool, AtomicU8, Mutex, lock};
use crate::time::clock::Clock;
use crate::time::schedule::Schedule;
use crate::time::zone::Zone;
use tina4_service_core::{Nanos, WallNanos};

/// The declared `on_stop` has begun.
const ON_STOP_TAKEN: u8 = 1;
/// The log line about the start has been written, or will never be.
const START_LOGGED: u8 = 2;
/// A run has begun since the start or the last crash.
const HAS_RUN: u8 = 16;
/// The log says that `ctx.ready()` has no effect.
const READY_WARNED: u8 = 4;
/// The task in progress is to be dropped.
#[cfg(feature = "tokio")]
const DROP_REQUESTED: u8 = 8;

/// One service of one runner.
pub(crate) struct Instance {
    pub(crate) definition: Definition,
    pub(crate) env: Arc<Environment>,
    /// `None` without `cron`, `anchor`, tolerance and queue.
    // perf: one field, so that a step of most services checks just this one.
    time_settings: Option<Box<TimeSettings>>,
    /// Whether there are any, or the supervisor holds a new schedule. Written and read under the pool's lock.
    has_time_settings: std::sync::atomic::AtomicBool,
    /// `None` until the service's code first needs it; most services never do.
    state: Mutex<Option<Box<InstanceState>>>,
    /// Whether there is a state. Written under the lock of `state`, before the state is used. While it
    /// is not set, a reader need not take that lock. `SeqCst`: see [`Instance::request_stop`].
    has_state: AtomicBool,
    stop: StopFlag,
    /// Flags of the current activation: [`ON_STOP_TAKEN`], [`START_LOGGED`], [`READY_WARNED`] and, of the
    /// current run, `DROP_REQUESTED`.
    activation_flags: AtomicU8,
    /// Whether there are registered hooks. Written under the lock of `state`, and read without it
    /// at every step.
    has_hooks: AtomicBool,
    /// Whether the service's code has ever called `heartbeat`. Written under the lock of `state`. While
    /// it is not set, a reader of the time of the last heartbeat does not take that lock.
    has_heartbeat: AtomicBool,
}

/// The part of an instance that few services need.
#[derive(Default)]
struct InstanceState {
    stop_channel: StopChannel,
    hooks: RegisteredHooks,
    locals: Locals,
    last_heartbeat: Nanos,
    /// The waker of the task in progress, once a poll of it has returned without a result.
    #[cfg(feature = "tokio")]
    task: Option<Waker>,
    /// Faults that a test has injected into the next runs.
    #[cfg(feature = "testing")]
    injected: std::collections::VecDeque<InjectedFault>,
}

/// A fault that a test injects into a run.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum InjectedFault {
    /// The run returns an error; the function is not called.
    Crash,
    /// The run panics; the function is not called.
    Panic,
    /// This much time passes before the function is called.
    Slow(Duration),
    /// The process of the job vanishes: the function is not called, and the claim is left to its lease.
    #[cfg(feature = "queue")]
    Kill,
}

impl Instance {
    pub(crate) fn new(definition: Definition, env: Arc<Environment>) -> Self {
        let time_settings = TimeSettings::new(&definition, &env).map(Box::new);
        Self {
            definition,
            env,
            has_time_settings: std::sync::atomic::AtomicBool::new(time_settings.is_some()),
            time_settings,
            state: Mutex::new(None),
            has_state: AtomicBool::new(false),
            stop: StopFlag::new(),
            activation_flags: AtomicU8::new(0),
            has_hooks: AtomicBool::new(false),
            has_heartbeat: AtomicBool::new(false),
        }
    }

    /// Records that the runner needs a tokio runtime, if the service has async functions.
    pub(crate) fn announce_tasks(&self) {
        #[cfg(feature = "tokio")]
        {
            let Self { definition, env, .. } = self;
            if definition.run_kind() == RunKind::Task || definition.on_stop_kind() == RunKind::Task
            {
                env.has_tasks.store(true, Ordering::Relaxed);
            }
        }
    }

    /// The queue whose jobs the service works on.
    #[cfg(feature = "queue")]
    pub(crate) fn queue(&self) -> Option<&QueueState> {
        self.time_settings.as_ref()?.queue.as_ref()
    }

    /// How long after a due time of its schedule a run may begin; 0: the service has no tolerance.
    // perf: cold, because few services have one.
    #[cold]
    pub(crate) fn tolerance(&self) -> Nanos {
        self.time_settings.as_ref().map_or(0, |settings| settings.tolerance)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn inject(&self, fault: InjectedFault) {
        self.with_state(|state| state.injected.push_back(fault));
    }

    /// The fault that [`Instance::take_injected`] would return.
    #[cfg(all(feature = "queue", feature = "testing"))]
    pub(crate) fn next_injected(&self) -> Option<InjectedFault> {
        self.with_existing_state(|state| state.injected.front().copied())
    }

    /// Takes the fault that a test has injected into the run that is about to begin.
    #[cfg(feature = "testing")]
    pub(crate) fn take_injected(&self) -> Option<InjectedFault> {
        self.with_existing_state(|state| state.injected.pop_front())
    }

    /// Whether its schedule has a time zone, which may be unusable.
    pub(crate) fn has_zone(&self) -> bool {
        self.found_zone().is_some()
    }

    /// The reason why the time zone of `cron` or `anchor` is unusable, if it is.
    pub(crate) fn zone_fault(&self) -> Option<&str> {
        self.found_zone()?.as_ref().err().map(|problem| &**problem)
    }

    /// The reason why the `anchor` is unusable in its time zone, if it is.
    pub(crate) fn anchor_fault(&self) -> Option<AnchorError> {
        match (&self.definition.spec().schedule, self.zone()) {
            (CoreSchedule::Calendar(Calendar::Anchored(anchored), timezone), Some(zone)) => {
                anchored.check_in(timezone, zone).err()
            }
            (
                CoreSchedule::Calendar(Calendar::Cron(_) | Calendar::Anchored(_), _)
                | CoreSchedule::Continuous
                | CoreSchedule::Interval(_)
                | CoreSchedule::Delay(_)
                | CoreSchedule::Queue(_),
                _,
            ) => None,
        }
    }

    pub(crate) fn zone(&self) -> Option<&Zone> {
        self.found_zone()?.as_ref().ok()
    }

    fn found_zone(&self) -> Option<&Result<Zone, Box<str>>> {
        self.time_settings.as_ref()?.zone.as_ref()
    }

    pub(crate) fn schedule(&self) -> Schedule {
        Schedule::new(self.definition.spec().schedule.clone(), self.zone().cloned())
    }

    /// Whether the service has a time zone, a tolerance or a new schedule.
    #[inline]
    pub(crate) fn has_time_settings(&self) -> bool {
        self.has_time_settings.load(Ordering::Relaxed)
    }

    /// Records that the supervisor holds a new schedule for the service.
    pub(crate) fn set_rescheduled(&self) {
        self.has_time_settings.store(true, Ordering::Relaxed);
    }

    /// The wall time and the time zone. Without `cron` or `anchor` they are not needed: 0 and UTC.
    pub(crate) fn calendar(&self) -> (WallNanos, &dyn tina4_service_core::Zone) {
        match self.zone() {
            Some(zone) => (self.env.clock.wall_nanos(), zone),
            None => (0, &Utc),
        }
    }

    /// Resets the per-activation state for the next activation. The caller must wake the result, without
    /// holding a lock.
    pub(crate) fn reset(&self) -> Option<Sleepers> {
        let waiting = self.withdraw_stop();
        self.activation_flags.store(0, Ordering::Relaxed);
        waiting
    }

    /// Withdraws the request to return: for the next activation, or after the end of a cancelled run.
    /// No code of the service may be running. The caller must wake the result, without holding a lock. If an
    /// earlier run has left tasks behind for which no stop was requested, they wait for the next one.
    pub(crate) fn withdraw_stop(&self) -> Option<Sleepers> {
        let waiting = self.with_existing_state(|state| {
            // Under the lock, so that no new ticket is one of the old request.
            self.stop.reset();
            state.stop_channel.withdraw()
        });
        self.stop.reset();
        // perf: an atomic change costs more than a look at the flag, which only the pool's lock allows to set.
        #[cfg(feature = "tokio")]
        if self.is_drop_requested() {
            self.activation_flags.fetch_and(!DROP_REQUESTED, Ordering::SeqCst);
        }
        waiting
    }

    /// Runs `action` on the state, under its lock: `action` must not run user code.
    fn with_state<T>(&self, action: impl FnOnce(&mut InstanceState) -> T) -> T {
        let mut state = lock(&self.state);
        let state = state.get_or_insert_with(|| {
            self.has_state.store(true, Ordering::SeqCst);
            Box::default()
        });
        action(state)
    }

    /// [`Instance::with_state`], unless there is no state yet.
    fn with_existing_state<T>(
        &self,
        action: impl FnOnce(&mut InstanceState) -> Option<T>,
    ) -> Option<T> {
        if !self.has_state.load(Ordering::SeqCst) {
            return None;
        }
        lock(&self.state).as_deref_mut().and_then(action)
    }

    /// Removes the values of `Local` parameters. The caller must drop them without holding a lock.
    pub(crate) fn take_locals(&self) -> Option<Discarded> {
        self.with_existing_state(|state| state.locals.discard())
    }

    /// Asks the running code to return, because the service is to stop or the run was cancelled. The
    /// caller must wake the returned sleepers, without holding a lock.
    ///
    /// No sleeper is missed. A thread that is about to sleep sets `has_state` and then reads the stop
    /// flag, in [`StopFlag::receiver`]; a stop sets the flag and then reads `has_state`. Both are
    /// `SeqCst`, so at least one of them sees what the other has set. If it is the thread, it does not
    /// sleep. If it is the stop, it waits for the lock, and finds the thread's channel.
    pub(crate) fn request_stop(&self) -> Option<Sleepers> {
        self.stop.request();
        self.with_existing_state(|state| state.stop_channel.take_sleepers())
    }

    /// Cancels the run in progress: asks its code to return, or drops it if it is a task. The caller must
    /// wake the result, without holding a lock.
    pub(crate) fn cancel_run(&self) -> Option<Sleepers> {
        match self.definition.run_kind() {
            RunKind::Call => self.request_stop(),
            RunKind::Task => self.drop_run(),
        }
    }

    /// Does nothing: without the feature `tokio`, no run is a task.
    #[cfg(not(feature = "tokio"))]
    pub(crate) fn drop_run(&self) -> Option<Sleepers> {
        None
    }

    /// Asks the task in progress to drop its future. The caller must wake the result, without holding a
    /// lock.
    ///
    /// The request is not missed, for the reason given at [`Instance::request_stop`]: a task registers
    /// its waker, which sets `has_state`, and then reads the flag.
    #[cfg(feature = "tokio")]
    pub(crate) fn drop_run(&self) -> Option<Sleepers> {
        self.activation_flags.fetch_or(DROP_REQUESTED, Ordering::SeqCst);
        #[cfg(feature = "queue")]
        if let Some(queue) = self.queue() {
            return Some(Sleepers::of_tasks(queue.take_tasks()));
        }
        self.with_existing_state(|state| state.task.take().map(Sleepers::of_task))
    }

    /// Whether the task in progress is to be dropped.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn is_drop_requested(&self) -> bool {
        self.activation_flags.load(Ordering::SeqCst) & DROP_REQUESTED != 0
    }

    /// Registers the waker of the task in progress; `true`: it is to be dropped now.
    #[cfg(feature = "tokio")]
    pub(crate) fn register_task(&self, waker: &Waker) -> bool {
        let is_known = |state: &mut InstanceState| Some(state.task.as_ref()?.will_wake(waker));
        if self.with_existing_state(is_known) != Some(true) {
            // A waker may be user code: it is cloned and dropped without the lock.
            let new = waker.clone();
            drop(self.with_state(|state| state.task.replace(new)));
        }
        self.is_drop_requested()
    }

    /// Forgets the waker of the task, which has ended.
    #[cfg(feature = "tokio")]
    pub(crate) fn remove_task(&self) {
        drop(self.with_existing_state(|state| state.task.take()));
    }

    /// Whether the running code was asked to return, because the service is to stop or the run was
    /// cancelled.
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.stop.is_requested()
    }

    /// Removes the clean-up hook that was registered last.
    pub(crate) fn pop_hook(&self) -> Option<RegisteredHook> {
        self.with_existing_state(|InstanceState { hooks, .. }| {
            let last = hooks.pop();
            self.has_hooks.store(!hooks.is_empty(), Ordering::Release);
            last
        })
    }

    /// Claims the declared `on_stop` of this activation. Returns `true` for the first caller only, which
    /// must run it.
    pub(crate) fn take_on_stop(&self) -> bool {
        self.definition.has_on_stop()
            && self.activation_flags.fetch_or(ON_STOP_TAKEN, Ordering::Relaxed) & ON_STOP_TAKEN == 0
    }

    /// Records that the log line about the start has been written, or will never be.
    pub(crate) fn set_start_logged(&self) {
        self.activation_flags.fetch_or(START_LOGGED, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_start_logged(&self) -> bool {
        self.activation_flags.load(Ordering::Acquire) & START_LOGGED != 0
    }

    /// Whether a run has begun since the start or the last crash.
    #[inline]
    pub(crate) fn has_run(&self) -> bool {
        self.activation_flags.load(Ordering::Acquire) & HAS_RUN != 0
    }

    /// Records whether a run has begun since the start or the last crash.
    pub(crate) fn set_has_run(&self, has_run: bool) {
        if has_run {
            self.activation_flags.fetch_or(HAS_RUN, Ordering::Release);
        } else {
            self.activation_flags.fetch_and(!HAS_RUN, Ordering::Release);
        }
    }

    /// Whether any hook, declared or registered, must run when the activation ends.
    pub(crate) fn has_hooks(&self) -> bool {
        let is_taken = || self.activation_flags.load(Ordering::Relaxed) & ON_STOP_TAKEN != 0;
        let declared = self.definition.has_on_stop() && !is_taken();
        declared || self.has_hooks.load(Ordering::Acquire)
    }

    /// When the running code last called `heartbeat`; 0: never.
    pub(crate) fn last_heartbeat(&self) -> Nanos {
        if !self.has_heartbeat.load(Ordering::Acquire) {
            return 0;
        }
        self.with_existing_state(|state| Some(state.last_heartbeat)).unwrap_or(0)
    }
}

impl Host for Instance {
    fn name(&self) -> &str {
        self.definition.name_str()
    }

    fn clock(&self) -> &Clock {
        &self.env.clock
    }

    fn resources(&self) -> &Resources {
        &self.env.resources
    }

    fn is_stopping(&self) -> bool {
        self.is_stop_requested()
    }

    fn is_exiting(&self) -> bool {
        self.env.exiting.load(Ordering::Relaxed)
    }

    fn stopping(&self) -> Receiver<Never> {
        self.with_state(|state| self.stop.receiver(&mut state.stop_channel))
    }

    #[cfg(feature = "tokio")]
    fn stop_ticket(&self) -> StopTicket {
        self.with_state(|state| self.stop.ticket(&mut state.stop_channel))
    }

    #[cfg(feature = "tokio")]
    fn register_stop_waker(
        &self,
        ticket: &StopTicket,
        key: &mut Option<u64>,
        waker: &mut Option<Waker>,
    ) -> bool {
        self.with_state(|state| {
            self.stop.register_waker(&mut state.stop_channel, ticket, key, waker)
        })
    }

    #[cfg(feature = "tokio")]
    fn remove_stop_waker(&self, key: u64) -> Option<Waker> {
        self.with_existing_state(|state| state.stop_channel.remove_waker(key))
    }

    fn add_hook(&self, hook: RegisteredHook) -> Option<RegisteredHook> {
        self.with_state(|InstanceState { hooks, .. }| {
            let replaced = hooks.add(hook);
            self.has_hooks.store(true, Ordering::Release);
            replaced
        })
    }

    fn heartbeat(&self) {
        let now = self.env.clock.now();
        self.with_state(|state| {
            state.last_heartbeat = now;
            self.has_heartbeat.store(true, Ordering::Release);
        });
    }

    fn ready(&self) {
        // In a forked child, the runner belongs to the parent.
        if self.env.owner.is_another_process() {
            return;
        }
        let service = self.definition.name_str();
        if self.definition.spec().ready != Some(Ready::Notified) {
            let flags = self.activation_flags.fetch_or(READY_WARNED, Ordering::Relaxed);
            if flags & READY_WARNED != 0 || self.env.exiting.load(Ordering::Relaxed) {
                return;
            }
            tracing::warn!(
                target: LOG_TARGET,
                service,
                "`ctx.ready()` has no effect without `ready = \"notified\"`; add that key, or remove the call"
            );
            return;
        }
        let listener = self.env.ready_listener.get().and_then(Weak::upgrade);
        if let Some(listener) = listener {
            // A task runs on a thread of its runtime, which must not wait for a log.
            let may_block = self.definition.run_kind() == RunKind::Call;
            listener.notified(service, std::ptr::from_ref(self).addr(), may_block);
        }
    }

    #[cfg(feature = "queue")]
    fn job_pushed(&self) {
        let is_first = self.queue().is_some_and(QueueState::tell);
        // In a forked child, the runner belongs to the parent.
        if !is_first || self.env.owner.is_another_process() {
            return;
        }
        if let Some(listener) = self.env.job_listener.get().and_then(Weak::upgrade) {
            let address = std::ptr::from_ref(self).addr();
            listener.jobs_may_be_ready(self.definition.name_str(), address);
        }
    }

    fn take_local(&self, id: TypeId, held: &Cell<u64>) -> (SlotId, Option<LocalValue>) {
        self.with_state(|state| state.locals.take(id, held))
    }

    fn put_back_local(&self, slot: SlotId, value: LocalValue) -> Option<LocalValue> {
        self.with_state(|state| state.locals.put_back(slot, value))
    }
}

impl Context {
    /// The instance that runs this service; `None` in a standalone context.
    #[inline]
    pub(crate) fn try_instance(&self) -> Option<&Instance> {
        let host: &dyn Any = &**self.host();
        let instance = host.downcast_ref();
        #[cfg(feature = "queue")]
        if instance.is_none() {
            return self.instance_of_job();
        }
        instance
    }

    // perf: cold, because few contexts are of a job that can be cancelled.
    #[cfg(feature = "queue")]
    #[cold]
    fn instance_of_job(&self) -> Option<&Instance> {
        let service: &dyn Any = &*self.job_host()?.service;
        service.downcast_ref()
    }

    #[cfg(feature = "queue")]
    fn job_host(&self) -> Option<&JobHost> {
        let host: &dyn Any = &**self.host();
        host.downcast_ref()
    }

    /// What can cancel the job of this call by itself, if it has an `on_timeout = "cancel"`.
    #[cfg(feature = "queue")]
    pub(crate) fn job_control(&self) -> Option<&JobControl> {
        self.job_host().map(|host| &*host.control)
    }

    /// The instance that runs this service. The engine creates contexts only for instances.
    #[inline]
    pub(crate) fn instance(&self) -> &Instance {
        self.try_instance().expect("a standalone context is never passed to the engine")
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("definition", &self.definition).finish_non_exhaustive()
    }
}
