//! [`Listener`]: hears of jobs that other processes have pushed.
//!
//! A notification is a hint and may be lost; whoever waits for jobs also polls.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::owner::Owner;
use super::pauses::{doubled, pause_after};
use super::threads;

/// The pauses before it is tried again whether notifications arrive: they double from the first to the longest.
const FIRST_DEAF_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_DEAF_PAUSE: Duration = Duration::from_secs(60);

/// Called with the name of a queue.
pub type Wake = Arc<dyn Fn(&str) + Send + Sync>;

/// Whether notifications arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// Nobody has asked for them.
    Unused,
    /// The connection is being made, for the first time or again.
    Connecting,
    /// They arrive.
    Works,
    /// They did not at the last attempt: the server refuses them, a pooler swallows them, or there is no thread.
    Deaf,
}

/// Why a source does not listen any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The connection was lost, or the watchers are closed.
    Lost,
    /// There is a connection, but notifications do not arrive on it.
    Deaf,
}

/// Where notifications come from.
pub trait NotificationSource: Send + 'static {
    /// Connects, and passes notifications on until the connection is lost or the watchers are closed, which it
    /// looks at once a second.
    fn listen(&mut self, watchers: &Watchers) -> Interruption;
}

/// Those who want to be told.
#[derive(Debug)]
pub struct Watchers {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    wakes: Vec<Wake>,
    hearing: Hearing,
    has_thread: bool,
    is_closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("hearing", &self.hearing).finish_non_exhaustive()
    }
}

/// A thread that listens. It is spawned when somebody wants to be told, and never gives up.
pub struct Listener {
    owner: Owner,
    source: Box<dyn Fn() -> Box<dyn NotificationSource> + Send + Sync>,
    watchers: Arc<Watchers>,
}

impl Listener {
    /// A listener that has no thread yet.
    pub fn new<S: NotificationSource>(
        owner: Owner,
        source: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            wakes: Vec::new(),
            hearing: Hearing::Unused,
            has_thread: false,
            is_closed: false,
        };
        let watchers = Watchers { state: Mutex::new(state), changed: Condvar::new() };
        let source = Box::new(move || Box::new(source()) as Box<dyn NotificationSource>);
        Self { owner, source, watchers: Arc::new(watchers) }
    }

    /// Calls `wake` from now on.
    pub fn add(&self, wake: Wake) {
        if !self.owner.is_here() {
            return;
        }
        let mut source = (self.source)();
        let mut state = self.watchers.lock();
        state.wakes.push(wake);
        if state.has_thread {
            return;
        }
        let watchers = Arc::clone(&self.watchers);
        let spawned = threads::spawn("tina4-listen", move || run(&mut *source, &watchers));
        state.has_thread = spawned.is_ok();
        // Without the thread, jobs are found by polling.
        state.hearing = if spawned.is_ok() { Hearing::Connecting } else { Hearing::Deaf };
    }

    /// Whether notifications arrive.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        self.watchers.lock().hearing
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("hearing", &self.hearing()).finish_non_exhaustive()
    }
}

/// The thread ends within a second if the server answers, which nobody has to wait for.
impl Drop for Listener {
    fn drop(&mut self) {
        if self.owner.is_here() {
            let mut state = self.watchers.lock();
            state.is_closed = true;
            let wakes = std::mem::take(&mut state.wakes);
            drop(state);
            self.watchers.changed.notify_all();
            drop(wakes);
        }
    }
}

impl Watchers {
    /// No code of others runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody wants to be told any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Notes that notifications arrive.
    pub fn hear(&self) {
        self.lock().hearing = Hearing::Works;
    }

    /// Tells that jobs of a queue may be ready.
    pub fn wake(&self, queue: &str) {
        let wakes = self.lock().wakes.clone();
        for wake in wakes {
            wake(queue);
        }
    }

    fn pause(&self, pause: Duration) {
        let state = self.lock();
        drop(self.changed.wait_timeout_while(state, pause, |state| !state.is_closed));
    }
}

fn run(source: &mut dyn NotificationSource, watchers: &Watchers) {
    let mut attempts = Attempts::default();
    while !watchers.is_closed() {
        let interruption = source.listen(watchers);
        let mut state = watchers.lock();
        let pause = attempts.pause_after(state.hearing, interruption);
        state.hearing = match interruption {
            Interruption::Lost => Hearing::Connecting,
            Interruption::Deaf => Hearing::Deaf,
        };
        drop(state);
        watchers.pause(pause);
    }
}

/// The attempts since notifications arrived.
#[derive(Debug, Default)]
struct Attempts {
    lost: u32,
    deaf: u32,
}

impl Attempts {
    /// How long to wait before the next one. The first pause after notifications have arrived is short.
    fn pause_after(&mut self, hearing: Hearing, interruption: Interruption) -> Duration {
        if hearing == Hearing::Works {
            *self = Self::default();
        }
        match interruption {
            Interruption::Lost => {
                self.lost = self.lost.saturating_add(1);
                pause_after(self.lost)
            }
            Interruption::Deaf => {
                self.lost = 0;
                self.deaf = self.deaf.saturating_add(1);
                doubled(FIRST_DEAF_PAUSE, LONGEST_DEAF_PAUSE, self.deaf)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    #[test]
    fn pauses_grow_while_nothing_arrives() {
        use Hearing::{Connecting, Deaf, Works};
        use Interruption as I;
        let mut attempts = Attempts::default();
        let mut pause =
            |hearing, interruption| attempts.pause_after(hearing, interruption).as_millis();
        assert_eq!(pause(Connecting, I::Lost), 50);
        assert_eq!(pause(Connecting, I::Lost), 100);
        assert_eq!(pause(Works, I::Lost), 50, "it had worked");
        assert_eq!(pause(Connecting, I::Deaf), 1_000);
        assert_eq!(pause(Deaf, I::Deaf), 2_000);
        assert_eq!(pause(Deaf, I::Lost), 50);
        let rest: Vec<_> = (0..6).map(|_| pause(Connecting, I::Deaf)).collect();
        assert_eq!(rest, [4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    }

    /// Interrupted as it is told, and then sends one notification.
    struct Planned {
        plan: Vec<Interruption>,
        listening: Sender<()>,
    }

    impl NotificationSource for Planned {
        fn listen(&mut self, watchers: &Watchers) -> Interruption {
            if let Some(interruption) = self.plan.pop() {
                return interruption;
            }
            watchers.hear();
            watchers.wake("numbers");
            self.listening.send(()).unwrap();
            while !watchers.is_closed() {
                watchers.pause(Duration::from_secs(1));
            }
            Interruption::Lost
        }
    }

    fn listener(plan: &[Interruption]) -> (Listener, Receiver<()>) {
        let (listening, is_listening) = channel();
        let plan = plan.to_vec();
        let source = move || Planned { plan: plan.clone(), listening: listening.clone() };
        (Listener::new(Owner::random(), source), is_listening)
    }

    #[test]
    fn a_source_that_was_deaf_and_lost_is_asked_again() {
        let (listener, is_listening) =
            listener(&[Interruption::Lost, Interruption::Deaf, Interruption::Lost]);
        assert_eq!(listener.hearing(), Hearing::Unused);
        let (sender, woken) = channel();
        listener.add(Arc::new(move |queue| sender.send(queue.to_owned()).unwrap()));
        is_listening.recv_timeout(Duration::from_secs(60)).expect("it goes on");
        assert_eq!(listener.hearing(), Hearing::Works);
        assert_eq!(woken.recv().unwrap(), "numbers");
        drop(listener);
        assert!(woken.recv().is_err(), "nobody is told any more");
    }
}
