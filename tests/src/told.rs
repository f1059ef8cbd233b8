//! What hooks are told of, in virtual time.

use std::time::SystemTime;

use crossbeam_channel::Receiver;
use tina4_service::testing::TestRunner;
use tina4_service::{Notice, NoticeKind, Runner, Service};

use crate::TIMEOUT;

/// What a hook of a runner is told of. The hook has a thread of its own, so [`Told::all`] waits for it.
#[derive(Debug)]
pub struct Told {
    notices: Receiver<Notice>,
    markers: u32,
}

impl Told {
    /// Adds a hook.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        let (sender, notices) = crossbeam_channel::unbounded();
        // The test may have ended.
        runner.on_change(move |notice| drop(sender.send(notice.clone())));
        Self { notices, markers: 0 }
    }

    /// Everything that the hook was told since the last call.
    ///
    /// # Panics
    ///
    /// If the hook is not told of another service that fails.
    #[track_caller]
    pub fn all(&mut self, t: &mut TestRunner) -> Vec<Notice> {
        self.markers += 1;
        let marker = format!("marker-{}", self.markers);
        let fails = Service::new(marker.clone(), |_| Err::<(), _>("marker")).max_restarts(0);
        t.runner().register(fails).expect("a new name");
        t.start(&marker).expect("it may start");
        t.advance("0s");
        let mut all = Vec::new();
        loop {
            let notice = self.notices.recv_timeout(TIMEOUT).expect("the hook is told");
            if notice.service == marker {
                return all;
            }
            all.push(notice);
        }
    }

    /// The kinds of the notices since the last call, and their times in seconds since `origin`.
    #[track_caller]
    pub fn kinds(&mut self, t: &mut TestRunner, origin: SystemTime) -> Vec<(u64, NoticeKind)> {
        let at = |notice: &Notice| notice.at.duration_since(origin).expect("later").as_secs();
        self.all(t).into_iter().map(|notice| (at(&notice), notice.kind)).collect()
    }
}
