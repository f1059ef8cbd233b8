//! The request to a service to stop: a flag to read, and a channel to wait on.
//!
//! The channel is created when a thread first waits on it, because most services never wait. The owner
//! of the flag stores the channel under a lock that it has anyway: a separate lock would make every
//! service larger.

#[cfg(feature = "tokio")]
use std::collections::BTreeMap;
#[cfg(feature = "tokio")]
use std::sync::Arc;
#[cfg(feature = "tokio")]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
#[cfg(feature = "tokio")]
use std::task::Waker;

use crossbeam_channel::{Receiver, Sender};

#[cfg(feature = "tokio")]
use crate::sys::panics;
use crate::sys::sync::AtomicBool;

/// An uninhabited type: the message type of [`Context::stopping`](crate::Context::stopping).
///
/// No message is ever sent on that channel; it is only disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

/// Dropped when stop is requested; no message is ever sent.
pub(crate) type StopSender = Sender<Never>;
/// Disconnected when stop is requested.
pub(crate) type StopReceiver = Receiver<Never>;

/// Whether the running code of a service was asked to return: its activation is to stop, or its run
/// was cancelled.
#[derive(Debug)]
pub(crate) struct StopFlag {
    requested: AtomicBool,
}

/// What sleeping code waits on: threads on a channel, which is disconnected when stop is requested, and
/// tasks with a waker each.
#[derive(Debug, Default)]
pub(crate) struct StopChannel {
    ends: Option<Ends>,
    /// The wakers of the tasks that wait, by key.
    #[cfg(feature = "tokio")]
    wakers: BTreeMap<u64, Waker>,
    /// What the tickets of the tasks that wait for the next request share, once there is one.
    #[cfg(feature = "tokio")]
    ticket: Option<StopTicket>,
}

/// Whether the request for which a task waits has been made. It stays set when the request is withdrawn: the
/// task may be polled only after that.
#[cfg(feature = "tokio")]
#[derive(Clone, Debug)]
pub(crate) struct StopTicket(Arc<std::sync::atomic::AtomicBool>);

#[cfg(feature = "tokio")]
impl StopTicket {
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The last key of a waker. Keys are unique in the process, because a task may wait on several channels in
/// turn.
#[cfg(feature = "tokio")]
static LAST_KEY: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct Ends {
    /// `None` once stop was requested.
    sender: Option<StopSender>,
    receiver: StopReceiver,
}

/// The code that sleeps until stop is requested, or that is to be woken for another reason.
#[must_use = "call `wake` without holding a lock"]
#[derive(Debug)]
pub(crate) struct Sleepers {
    sender: Option<StopSender>,
    #[cfg(feature = "tokio")]
    wakers: Vec<Waker>,
}

impl StopFlag {
    pub(crate) fn new() -> Self {
        Self { requested: AtomicBool::new(false) }
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Requests the stop. Call [`StopChannel::take_sleepers`] after this, never before.
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
    }

    /// Withdraws the request, for the next activation or run, which also needs a new channel.
    pub(crate) fn reset(&self) {
        self.requested.store(false, Ordering::SeqCst);
    }

    /// A receiver that is disconnected when stop is requested. The caller must hold the lock that
    /// guards `channel`.
    pub(crate) fn receiver(&self, channel: &mut StopChannel) -> StopReceiver {
        let ends = channel.ends.get_or_insert_with(|| {
            let (sender, receiver) = crossbeam_channel::bounded(0);
            // A stop sets the flag before it looks for a channel. So either the flag is seen now, or
            // the stop finds this sender later.
            let is_requested = self.requested.load(Ordering::SeqCst);
            Ends { sender: (!is_requested).then_some(sender), receiver }
        });
        ends.receiver.clone()
    }

    /// The ticket of a task that waits for the current request, or else the next one. The caller must hold
    /// the lock that guards `channel`.
    #[cfg(feature = "tokio")]
    pub(crate) fn ticket(&self, channel: &mut StopChannel) -> StopTicket {
        let is_requested = || self.requested.load(Ordering::SeqCst);
        let new = || StopTicket(Arc::new(is_requested().into()));
        channel.ticket.get_or_insert_with(new).clone()
    }

    /// Registers a waker, in place of the one registered under `key`, which it leaves in `waker`. `true`: the
    /// stop was requested, and nothing was registered. The caller must hold the lock that guards `channel`,
    /// and drop what is left in `waker` without it.
    #[cfg(feature = "tokio")]
    pub(crate) fn register_waker(
        &self,
        channel: &mut StopChannel,
        ticket: &StopTicket,
        key: &mut Option<u64>,
        waker: &mut Option<Waker>,
    ) -> bool {
        // As in `receiver`: either the flag is seen now, or the stop finds this waker later. Under the lock,
        // the ticket is either set or that of the next request.
        if ticket.is_requested() || self.requested.load(Ordering::SeqCst) {
            return true;
        }
        let key = *key.get_or_insert_with(|| LAST_KEY.fetch_add(1, Ordering::Relaxed) + 1);
        if let Some(new) = waker.take() {
            *waker = channel.wakers.insert(key, new);
        }
        false
    }
}

impl StopChannel {
    /// Takes the code that sleeps on this channel, because stop was requested. It is to be woken once the
    /// lock is released.
    pub(crate) fn take_sleepers(&mut self) -> Option<Sleepers> {
        let sender = self.ends.as_mut().and_then(|ends| ends.sender.take());
        #[cfg(feature = "tokio")]
        if let Some(ticket) = &self.ticket {
            ticket.0.store(true, Ordering::Release);
        }
        #[cfg(feature = "tokio")]
        if !self.wakers.is_empty() {
            let wakers = std::mem::take(&mut self.wakers).into_values().collect();
            return Some(Sleepers { sender, wakers });
        }
        Some(Sleepers {
            sender: Some(sender?),
            #[cfg(feature = "tokio")]
            wakers: Vec::new(),
        })
    }

    /// Prepares the channel for the next request. Threads that still sleep on it are to be woken once the
    /// lock is released. Tasks for which no stop was requested wait for the next request.
    pub(crate) fn withdraw(&mut self) -> Option<Sleepers> {
        #[cfg(feature = "tokio")]
        self.ticket.take_if(|ticket| ticket.is_requested());
        Some(Sleepers {
            sender: Some(self.ends.take()?.sender?),
            #[cfg(feature = "tokio")]
            wakers: Vec::new(),
        })
    }

    /// Removes the waker that was registered under this key, for the caller to drop.
    #[cfg(feature = "tokio")]
    pub(crate) fn remove_waker(&mut self, key: u64) -> Option<Waker> {
        self.wakers.remove(&key)
    }
}

impl Sleepers {
    /// A task that is to be woken.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_task(waker: Waker) -> Self {
        Self { sender: None, wakers: vec![waker] }
    }

    /// Tasks that are to be woken.
    #[cfg(all(feature = "queue", feature = "tokio"))]
    pub(crate) fn of_tasks(wakers: Vec<Waker>) -> Self {
        Self { sender: None, wakers }
    }

    /// Wakes the sleeping code: every receiver of its channel is disconnected, and every task polled.
    pub(crate) fn wake(self) {
        drop(self.sender);
        #[cfg(feature = "tokio")]
        for waker in self.wakers {
            // A waker may be user code. The panic hook reports a panic in it; the others are woken even so.
            let _ = panics::catch(|| waker.wake());
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn is_disconnected(receiver: &StopReceiver) -> bool {
        receiver.try_recv() == Err(crossbeam_channel::TryRecvError::Disconnected)
    }

    #[test]
    fn a_receiver_is_disconnected_when_the_sleepers_are_woken() {
        let (flag, mut channel) = (StopFlag::new(), StopChannel::default());
        let receiver = flag.receiver(&mut channel);
        assert!(!is_disconnected(&receiver) && !flag.is_requested());
        flag.request();
        let sleepers = channel.take_sleepers().expect("a receiver was created");
        assert!(!is_disconnected(&receiver) && flag.is_requested());
        sleepers.wake();
        assert!(is_disconnected(&receiver) && channel.take_sleepers().is_none());
    }

    #[test]
    fn a_receiver_created_after_the_request_is_disconnected() {
        let (flag, mut channel) = (StopFlag::new(), StopChannel::default());
        flag.request();
        assert!(channel.take_sleepers().is_none());
        assert!(is_disconnected(&flag.receiver(&mut channel)));
        flag.reset();
        assert!(!is_disconnected(&flag.receiver(&mut StopChannel::default())));
    }

    /// A task may be polled only after the request was withdrawn, or wait for the first time then.
    #[cfg(feature = "tokio")]
    #[test]
    fn rule_93_a_task_sees_a_stop_that_was_withdrawn_before_its_poll() {
        let (flag, mut channel) = (StopFlag::new(), StopChannel::default());
        let ticket = flag.ticket(&mut channel);
        let register = |channel: &mut StopChannel, ticket: &StopTicket| {
            let mut waker = Some(Waker::noop().clone());
            flag.register_waker(channel, ticket, &mut None, &mut waker)
        };
        assert!(!register(&mut channel, &ticket));
        assert!(channel.withdraw().is_none(), "no stop was requested: it waits on");
        assert!(!register(&mut channel, &ticket) && !ticket.is_requested());
        flag.request();
        assert_eq!(channel.take_sleepers().map(|sleepers| sleepers.wakers.len()), Some(2));
        flag.reset();
        assert!(channel.withdraw().is_none());
        assert!(register(&mut channel, &ticket) && ticket.is_requested());
        let next = flag.ticket(&mut channel);
        assert!(!register(&mut channel, &next) && !next.is_requested());
    }

    /// A waker that panics keeps no other task from being woken.
    #[cfg(feature = "tokio")]
    #[test]
    fn rule_51_a_waker_that_panics_skips_no_other() {
        struct Wakes(bool, std::sync::atomic::AtomicBool);
        impl std::task::Wake for Wakes {
            fn wake(self: Arc<Self>) {
                self.1.store(true, Ordering::SeqCst);
                assert!(self.0, "in wake");
            }
        }
        let wakes = [false, true].map(|good| Arc::new(Wakes(good, false.into())));
        let wakers = wakes.iter().map(|waker| Waker::from(Arc::clone(waker))).collect();
        Sleepers { sender: None, wakers }.wake();
        assert!(wakes.iter().all(|waker| waker.1.load(Ordering::SeqCst)));
    }
}
