//! The receivers of a runner's events. They are bounded and never block a service: a receiver that
//! falls behind loses events, and [`Change::Missed`] counts them.

use std::borrow::Cow;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::observe::event::{Change, Event};
#[cfg(feature = "testing")]
use crate::observe::event_log::EventLog;

/// The capacity of each subscriber's channel; once it is full, new events are lost.
const CAPACITY: usize = 1024;

/// The subscribers of one runner.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    subscribers: Vec<Subscriber>,
    /// The number of events that any of them has missed.
    missed: u64,
    #[cfg(feature = "testing")]
    event_log: Option<EventLog>,
}

#[derive(Debug)]
struct Subscriber {
    sender: Sender<Event>,
    missed: u64,
}

impl Subscribers {
    pub(crate) fn add(&mut self) -> Receiver<Event> {
        let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
        self.subscribers.push(Subscriber { sender, missed: 0 });
        receiver
    }

    #[cfg(feature = "testing")]
    pub(crate) fn record(&mut self, event_log: EventLog) {
        self.event_log = Some(event_log);
    }

    pub(crate) fn is_empty(&self) -> bool {
        #[cfg(feature = "testing")]
        if self.event_log.is_some() {
            return false;
        }
        self.subscribers.is_empty()
    }

    /// Sends `event` to each subscriber without waiting, and removes the disconnected ones.
    pub(crate) fn send(&mut self, event: &Event) {
        #[cfg(feature = "testing")]
        if let Some(log) = &self.event_log {
            log.add(event);
        }
        let Self { subscribers, missed, .. } = self;
        subscribers.retain_mut(|subscriber| subscriber.send(event, missed));
    }

    /// The number of events that any subscriber has missed.
    pub(crate) fn missed(&self) -> u64 {
        self.missed
    }
}

impl Subscriber {
    /// Sends without waiting; `false` if the receiver is gone. `missed`: is increased if the event is lost.
    fn send(&mut self, event: &Event, missed: &mut u64) -> bool {
        if self.missed > 0 {
            let notice = Event {
                service: Cow::Borrowed(""),
                at: event.at,
                change: Change::Missed { count: self.missed },
            };
            match self.sender.try_send(notice) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_)) => {
                    self.missed += 1;
                    *missed += 1;
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
        match self.sender.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed += 1;
                *missed += 1;
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn event(count: u64) -> Event {
        Event { service: "x".into(), at: SystemTime::UNIX_EPOCH, change: Change::Skipped { count } }
    }

    #[test]
    fn a_slow_subscriber_learns_how_many_events_it_missed_and_never_blocks() {
        let mut subscribers = Subscribers::default();
        let receiver = subscribers.add();
        for count in 0..CAPACITY as u64 + 5 {
            subscribers.send(&event(count));
        }
        assert_eq!(receiver.try_iter().count(), CAPACITY);
        subscribers.send(&event(99));
        let changes: Vec<_> = receiver.try_iter().map(|event| event.change).collect();
        assert_eq!(changes, [Change::Missed { count: 5 }, Change::Skipped { count: 99 }]);
        assert_eq!(subscribers.missed(), 5);
    }

    #[test]
    fn a_disconnected_subscriber_is_removed() {
        let mut subscribers = Subscribers::default();
        drop(subscribers.add());
        subscribers.send(&event(1));
        assert!(subscribers.is_empty());
    }
}
