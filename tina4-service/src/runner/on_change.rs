//! Hooks that are told of the few changes that people want to know of.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::release::release;
use crate::observe::notice::Notice;
use crate::observe::notice_queue::{Next, NoticeFn, NoticeQueue};
use crate::runner::runner::Runner;
use crate::sys::log_target::LOG_TARGET;
use crate::sys::panics;
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

/// How often the thread of a hook checks a clock that a program advances by hand.
const MANUAL_CLOCK_INTERVAL: Duration = Duration::from_millis(10);

impl Runner {
    /// Calls a function for each change that people want to be told of: a service [broke], [failed], [recovered], is
    /// [overdue], or is no longer overdue.
    ///
    /// This is for messages to people: a mail, a chat, an alarm. [`Runner::subscribe`] delivers every change instead. The
    /// hook is told of what happens from now on, in order. There may be several. One that is added later is not told
    /// that a service recovered or is no longer overdue, unless it was told of the trouble before.
    ///
    /// # Threads
    ///
    /// Each hook has a thread of its own, which is started with the first service. So a hook may block, such as for a
    /// request over the network, and delays no service. 256 notices wait for it; further ones are lost, which
    /// [`ChangeHook::missed`], the next notice and the log tell. A hook that panics is reported in the log, and is called
    /// again for the next notice.
    ///
    /// # How often
    ///
    /// The first change of a kind is told at once, and the next one of this kind of the same service a minute later at the
    /// earliest: if the service is then in another state than the last notice said. [`Notice::left_out`] has the number
    /// of changes between. So a service that breaks and recovers every second makes at most two notices a minute, and
    /// each [recovery] follows a notice that the service broke or failed.
    ///
    /// A run that takes too long is none of these changes until its service is overdue; see
    /// [`ServiceInfo::stuck`](crate::ServiceInfo::stuck). When a service could become overdue is known in advance, so it is
    /// noticed at once; if its due times are less than five seconds apart, at most ten seconds later; on a calendar, at most
    /// ten minutes later if the clock was set forward. It is not noticed while all hooks are in a call.
    ///
    /// # At the end
    ///
    /// [`Runner::stop_all`] waits up to two seconds, after everything has stopped, until the hooks have been told
    /// everything; [`Runner::run`] does the same, but after a signal it waits half a second at most. A
    /// `stop_all` that blocks the only thread of a runtime (`current_thread`) does not wait for hooks; await
    /// `Runner::stop_all_async` there. A process that ends in
    /// another way does not wait. No hook can report that its process was killed or hangs: let somebody outside watch
    /// for the absence of pings.
    ///
    /// In the test kit, what a hook is told depends on virtual time only, but its thread is a real one: let the test wait
    /// for what the hook sends, for example on a channel.
    ///
    /// A hook that controls services should hold [`Runner::downgrade`]: a `Runner` would keep them running. If there is no
    /// hook, all this costs nothing.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use tina4_service::{Runner, Service};
    ///
    /// let (sender, notices) = mpsc::channel();
    /// let runner = Runner::new();
    /// // A program would send a mail.
    /// runner.on_change(move |notice| sender.send(notice.to_string()).expect("somebody reads"));
    /// runner.register(Service::new("import", |_| Err::<(), _>("the disk is full")).max_restarts(0))?;
    /// runner.start_all()?;
    /// assert_eq!(notices.recv_timeout(Duration::from_secs(10))?, "`import` failed: the disk is full");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [broke]: crate::NoticeKind::Broke
    /// [failed]: crate::NoticeKind::Failed
    /// [recovered]: crate::NoticeKind::Recovered
    /// [recovery]: crate::NoticeKind::Recovered
    /// [overdue]: crate::NoticeKind::Overdue
    pub fn on_change(&self, hook: impl Fn(&Notice) + Send + Sync + 'static) -> ChangeHook {
        self.add_hook(NoticeFn::new(hook))
    }

    pub(super) fn add_hook(&self, hook: NoticeFn) -> ChangeHook {
        let queue = Arc::new(NoticeQueue::default());
        let handle = ChangeHook(Arc::clone(&queue));
        // In a forked child nothing happens that a hook could be told of.
        let Ok(engine) = self.engine() else { return handle };
        let (env, weak) = (&self.shared.env, Arc::downgrade(engine));
        engine.with(|supervisor, now| supervisor.add_hook(Arc::clone(&queue), now));
        let clock = env.clock.clone();
        let body = Box::new(move || call_hook(&queue, hook, &weak, &clock));
        if let Err(error) = env.pending_threads.add("tina4-hook".to_owned(), body) {
            report_missing_thread(&error);
        }
        handle
    }

    /// Starts the threads of the hooks, if that was not done.
    pub(super) fn start_hooks(&self) {
        if let Err(error) = self.shared.env.pending_threads.start() {
            report_missing_thread(&error);
        }
    }
}

#[cold]
fn report_missing_thread(error: &std::io::Error) {
    tracing::error!(target: LOG_TARGET, %error, "the thread of a hook could not be started, so nobody is told of changes; check the limits on threads");
}

/// The body of the thread of a hook.
fn call_hook(queue: &NoticeQueue, hook: NoticeFn, engine: &Weak<Engine>, clock: &Clock) {
    loop {
        match queue.next(|look_at| time_left(clock, look_at)) {
            Next::Call(notice) => {
                if let Err(panic) = panics::catch(|| hook.call(&notice)) {
                    queue.hook_panicked();
                    let (service, error) = (&*notice.service, panic.to_string());
                    let write = || {
                        tracing::error!(target: LOG_TARGET, parent: None, service, error, "a hook of `on_change` panicked; it is called again for the next notice");
                    };
                    let _ = panics::catch(write);
                }
            }
            Next::Look => {
                if let Some(engine) = engine.upgrade() {
                    engine.with(|supervisor, now| supervisor.look_for_notices(now));
                    release(engine);
                }
            }
            Next::End => break,
        }
    }
    if let Some(engine) = engine.upgrade() {
        engine.with(|supervisor, _| supervisor.forget_removed_hooks());
        release(engine);
    }
    // Its values are the program's.
    let _ = panics::catch(|| drop(hook));
}

/// How long the thread of a hook may wait in real time until the supervisor wants to look.
fn time_left(clock: &Clock, look_at: Nanos) -> Option<Duration> {
    if clock.drives_runner() {
        return None;
    }
    let now = clock.now();
    if look_at <= now {
        return Some(Duration::ZERO);
    }
    clock.real_wait(now, look_at).or(Some(MANUAL_CLOCK_INTERVAL))
}

/// A hook, as [`Runner::on_change`] returns it. Dropping it changes nothing.
#[derive(Clone)]
pub struct ChangeHook(Arc<NoticeQueue>);

impl ChangeHook {
    /// How many notices were lost, because the hook was too slow.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }

    /// How often the hook panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.0.panics()
    }

    /// Removes the hook: it is called no more, apart from a call in progress.
    pub fn remove(self) {
        self.0.close(true);
    }
}

impl fmt::Debug for ChangeHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeHook")
            .field("missed", &self.missed())
            .field("panics", &self.panics())
            .finish()
    }
}
