//! A service as one runner holds it: its definition, and what its code can reach while it runs.
//!
//! The supervisor owns the life cycle; a unit owns the few things that the service's own thread
//! touches without asking the supervisor: atomics, and one small lock, held for a few instructions
//! and never while user code runs.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use tina4_service_core::{Schedule as Declared, Utc};

use crate::service::context::Never;
use crate::service::outcome::Cause;
use crate::service::params::{Discarded, Locals};
use crate::service::registration::Definition;
use crate::service::resources::Resources;
use crate::sys::fork::Owner;
use crate::sys::sync::{AtomicBool, AtomicU8, Mutex, lock};
use crate::time::clock::Clock;
use crate::time::schedule::Schedule;
use crate::time::zone::Zone;
use tina4_service_core::{Nanos, WallNanos};

/// What all services of one runner share.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) clock: Clock,
    pub(crate) resources: Resources,
    /// What `timezone = "local"` means, if not what the machine says.
    pub(crate) local: Option<Zone>,
    /// How long `stop_all` may take.
    pub(crate) shutdown_timeout: Duration,
    /// The process is ending: nothing that could wait for a lock of the user's, such as that of
    /// standard output, is done any more.
    pub(crate) exiting: AtomicBool,
    /// The log is slow; do not wait for its lines.
    pub(crate) log_is_slow: AtomicBool,
    /// Which signals those who wait with this runner have received.
    #[cfg(feature = "signals")]
    pub(crate) received: crate::process::signals::Received,
    /// The process that the runner's threads belong to.
    pub(crate) owner: Owner,
}

/// A clean-up that a run registered.
pub(crate) struct Registered {
    /// The line that registered it; the same line again replaces it.
    pub(crate) place: &'static Location<'static>,
    pub(crate) hook: Box<dyn FnOnce() -> Result<(), Cause> + Send>,
}

/// What sleeps of one activation wait on: disconnected when the sender is dropped.
type StopChannel = (Option<Sender<Never>>, Receiver<Never>);

/// The declared `on_stop` has begun.
const ON_STOP_TAKEN: u8 = 1;
/// The log line that says that it was started has been written.
const ANNOUNCED: u8 = 2;

/// One service of one runner.
pub(crate) struct Instance {
    pub(crate) definition: Definition,
    pub(crate) env: Arc<Environment>,
    /// What the time zone of `cron` means on this machine, or why that is not known.
    zone: Option<Box<Result<Zone, Box<str>>>>,
    /// What its code keeps here.
    belongings: Mutex<Option<Box<RunState>>>,
    /// Its place in its runner.
    pub(crate) index: u32,
    /// Stop was requested.
    stop: AtomicBool,
    /// What has happened in this activation: [`ON_STOP_TAKEN`] and [`ANNOUNCED`].
    activation: AtomicU8,
    /// Whether there are hooks: changed under the lock of `belongings`, and read without it at
    /// every step.
    has_hooks: AtomicBool,
    /// Whether it has ever called `heartbeat`: set under the lock of `belongings`. Only if it has, who
    /// asks for the time takes that lock as well.
    beats: AtomicBool,
}

/// What the code of a service keeps with its runner; many keep nothing.
#[derive(Default)]
struct RunState {
    /// Made when somebody first waits for it; its sender is dropped when stop is requested.
    stop_channel: Option<StopChannel>,
    hooks: Vec<Registered>,
    locals: Locals,
    /// When the running body last said that it is alive.
    beat: Nanos,
    /// What a test wants to happen to the next runs.
    #[cfg(feature = "testing")]
    injected: std::collections::VecDeque<Injected>,
}

/// A fault that a test puts into a run.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Injected {
    /// It returns an error, and the function is not called.
    Crash,
    /// It panics, and the function is not called.
    Panic,
    /// It takes so much time before the function is called.
    Slow(Duration),
}

impl Instance {
    pub(crate) fn new(definition: Definition, index: u32, env: Arc<Environment>) -> Self {
        let zone = match &definition.spec().schedule {
            Declared::Cron(_, timezone) => Some(Box::new(Zone::find(timezone, env.local.as_ref()))),
            Declared::Continuous | Declared::Interval(_) | Declared::Delay(_) => None,
        };
        Self {
            definition,
            env,
            zone,
            belongings: Mutex::new(None),
            index,
            stop: AtomicBool::new(false),
            activation: AtomicU8::new(0),
            has_hooks: AtomicBool::new(false),
            beats: AtomicBool::new(false),
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn inject(&self, fault: Injected) {
        self.with_belongings(|belongings| belongings.injected.push_back(fault));
    }

    /// Takes the fault that is meant for the run that begins.
    #[cfg(feature = "testing")]
    pub(crate) fn take_injected(&self) -> Option<Injected> {
        self.with_any_belongings(|belongings| belongings.injected.pop_front())
    }

    /// Why its calendar time has no meaning, if that is so.
    pub(crate) fn zone_fault(&self) -> Option<&str> {
        match self.zone.as_deref() {
            Some(Err(problem)) => Some(problem),
            Some(Ok(_)) | None => None,
        }
    }

    fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()?.as_ref().as_ref().ok()
    }

    pub(crate) fn schedule(&self) -> Schedule {
        Schedule::new(self.definition.spec().schedule.clone(), self.zone().cloned())
    }

    /// The wall clock and its zone; a service without calendar time does not look at it.
    #[inline]
    pub(crate) fn calendar(&self) -> (WallNanos, &dyn tina4_service_core::Zone) {
        match self.zone() {
            Some(zone) => (self.env.clock.wall_nanos(), zone),
            None => (0, &Utc),
        }
    }

    /// Makes everything new for an activation.
    pub(crate) fn renew(&self) {
        let old = self.with_any_belongings(|belongings| belongings.stop_channel.take());
        drop(old);
        self.stop.store(false, Ordering::SeqCst);
        self.activation.store(0, Ordering::Relaxed);
    }

    /// Works with what is kept here, made if there was nothing. Under a lock: `action` runs no code
    /// of the user's.
    fn with_belongings<T>(&self, action: impl FnOnce(&mut RunState) -> T) -> T {
        action(lock(&self.belongings).get_or_insert_default())
    }

    /// The same, if there is anything.
    fn with_any_belongings<T>(&self, action: impl FnOnce(&mut RunState) -> Option<T>) -> Option<T> {
        lock(&self.belongings).as_deref_mut().and_then(action)
    }

    /// Works with the values of `Local` parameters, under a lock.
    pub(crate) fn with_locals<T>(&self, action: impl FnOnce(&mut Locals) -> T) -> T {
        self.with_belongings(|belongings| action(&mut belongings.locals))
    }

    /// Forgets the values of `Local` parameters. The caller drops them outside of its locks.
    pub(crate) fn take_locals(&self) -> Option<Discarded> {
        self.with_any_belongings(|belongings| belongings.locals.forget())
    }

    /// Tells the running code to leave. Its sleeps wake when what is returned is dropped, which
    /// need not happen under a lock.
    #[must_use = "sleeps wake when this is dropped"]
    pub(crate) fn request_stop(&self) -> Option<Sender<Never>> {
        // The flag first: who makes the channel after this sees it; who made it before is woken.
        self.stop.store(true, Ordering::SeqCst);
        self.with_any_belongings(|belongings| belongings.stop_channel.as_mut()?.0.take())
    }

    pub(crate) fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// A receiver that is disconnected when stop is requested.
    pub(crate) fn stopping(&self) -> Receiver<Never> {
        self.with_belongings(|belongings| {
            let (_, receiver) = belongings.stop_channel.get_or_insert_with(|| {
                let (sender, receiver) = crossbeam_channel::bounded(0);
                // `request_stop` sets the flag before it takes the lock that is held here: either
                // the flag is seen now, or the sender is found later.
                ((!self.stop.load(Ordering::SeqCst)).then_some(sender), receiver)
            });
            receiver.clone()
        })
    }

    /// Adds a clean-up; one from the same source line is replaced, and returned to be dropped.
    pub(crate) fn add_hook(&self, hook: Registered) -> Option<Registered> {
        self.with_belongings(|RunState { hooks, .. }| {
            let old = hooks
                .iter()
                .position(|known| known.place == hook.place)
                .map(|position| hooks.remove(position));
            hooks.push(hook);
            self.has_hooks.store(true, Ordering::Release);
            old
        })
    }

    /// The clean-up registered last, removed.
    pub(crate) fn pop_hook(&self) -> Option<Registered> {
        self.with_any_belongings(|RunState { hooks, .. }| {
            let last = hooks.pop();
            self.has_hooks.store(!hooks.is_empty(), Ordering::Release);
            last
        })
    }

    /// Whether the declared `on_stop` is still to be run in this activation; taken by asking.
    pub(crate) fn take_on_stop(&self) -> bool {
        self.definition.has_on_stop()
            && self.activation.fetch_or(ON_STOP_TAKEN, Ordering::Relaxed) & ON_STOP_TAKEN == 0
    }

    /// The log says that it was started, or never will.
    pub(crate) fn announce(&self) {
        self.activation.fetch_or(ANNOUNCED, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_announced(&self) -> bool {
        self.activation.load(Ordering::Acquire) & ANNOUNCED != 0
    }

    /// Whether anything must be cleaned up when the activation ends.
    pub(crate) fn has_hooks(&self) -> bool {
        let is_taken = || self.activation.load(Ordering::Relaxed) & ON_STOP_TAKEN != 0;
        let declared = self.definition.has_on_stop() && !is_taken();
        declared || self.has_hooks.load(Ordering::Acquire)
    }

    pub(crate) fn beat(&self) {
        let now = self.env.clock.now();
        self.with_belongings(|belongings| {
            belongings.beat = now;
            self.beats.store(true, Ordering::Release);
        });
    }

    /// When [`Instance::beat`] was last called; 0: never.
    pub(crate) fn last_beat(&self) -> Nanos {
        if !self.beats.load(Ordering::Acquire) {
            return 0;
        }
        self.with_any_belongings(|belongings| Some(belongings.beat)).unwrap_or(0)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit").field("definition", &self.definition).finish_non_exhaustive()
    }
}
