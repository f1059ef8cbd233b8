//! What systemd was told about the process.

use std::sync::Arc;
use std::time::Duration;

use crate::sys::notify_socket::NotifySocket;
use tina4_service_core::{Nanos, nanos};

/// How long after one look at the services the next one is, although something has changed.
const MIN_GAP: Nanos = 1_000_000_000;

/// The same until the program is ready, which systemd waits for.
const MIN_GAP_BEFORE_READY: Nanos = 20_000_000;

/// What systemd was told about the process.
#[derive(Debug)]
pub(crate) struct ServiceManager {
    pub(super) socket: Arc<NotifySocket>,
    /// How far apart the pings are: half of what systemd allows. `None`: it wants none.
    pub(super) ping_every: Option<Nanos>,
    pub(super) next_ping: Nanos,
    /// When to look at the services next; `None`: nothing has changed.
    pub(super) look_at: Option<Nanos>,
    pub(super) last_look: Nanos,
    pub(super) is_ready: bool,
    pub(super) is_stopping: bool,
    pub(super) status: String,
}

impl ServiceManager {
    pub(crate) fn new(socket: NotifySocket, watchdog: Option<Duration>) -> Self {
        Self {
            socket: Arc::new(socket),
            ping_every: watchdog.map(|limit| nanos(limit / 2).max(1)),
            next_ping: 0,
            look_at: Some(0),
            last_look: 0,
            is_ready: false,
            is_stopping: false,
            status: String::new(),
        }
    }

    /// When it has something to do next.
    pub(super) fn due(&self) -> Option<Nanos> {
        self.ping_every.map(|_| self.next_ping).into_iter().chain(self.look_at).min()
    }

    pub(super) fn note_change(&mut self, now: Nanos) {
        let gap = if self.is_ready { MIN_GAP } else { MIN_GAP_BEFORE_READY };
        self.look_at.get_or_insert(now.max(self.last_look.saturating_add(gap)));
    }
}
