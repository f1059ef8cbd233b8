//! The request to a service to stop: a flag to read, and a channel to wait on.
//!
//! The channel is created when a thread first waits on it, because most services never wait. The owner
//! of the flag stores the channel under a lock that it has anyway: a separate lock would make every
//! service larger.

use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender};

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

/// The channel that sleeping threads wait on; disconnected when stop is requested.
#[derive(Debug, Default)]
pub(crate) struct StopChannel(Option<Ends>);

#[derive(Debug)]
struct Ends {
    /// `None` once stop was requested.
    sender: Option<StopSender>,
    receiver: StopReceiver,
}

/// The threads that sleep until stop is requested. They wake when this is dropped.
#[must_use = "the sleeping threads wake when this is dropped; do that without holding a lock"]
#[derive(Debug)]
pub(crate) struct Sleepers(StopSender);

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
        let ends = channel.0.get_or_insert_with(|| {
            let (sender, receiver) = crossbeam_channel::bounded(0);
            // A stop sets the flag before it looks for a channel. So either the flag is seen now, or
            // the stop finds this sender later.
            let is_requested = self.requested.load(Ordering::SeqCst);
            Ends { sender: (!is_requested).then_some(sender), receiver }
        });
        ends.receiver.clone()
    }
}

impl StopChannel {
    /// Takes the threads that sleep on this channel, to be woken once the lock is released.
    pub(crate) fn take_sleepers(&mut self) -> Option<Sleepers> {
        self.0.as_mut()?.sender.take().map(Sleepers)
    }
}

impl Sleepers {
    /// Wakes the sleeping threads: every receiver of its channel is disconnected.
    pub(crate) fn wake(self) {
        drop(self.0);
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
}
