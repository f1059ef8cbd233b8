//! How far a service has come, from the point of view of those that wait for it.

/// How far a service has come, from the point of view of those that wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the service is in an activation and not blocked.
    pub active: bool,
    pub(super) progress: Progress,
}

/// How far an activation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Not ready. No run has crashed.
    NotReady,
    /// Not ready, although a run has ended well: it has to say itself that it is ready. No run has crashed.
    NotReadyAfterRun,
    /// Not ready, and a run has crashed.
    CrashedBeforeReady,
    /// Ready. It remains ready after it has finished, until it is started again.
    Ready,
    /// Not ready, and it cannot become ready in this activation: it has failed, or has finished without
    /// becoming ready.
    Over,
}

impl Readiness {
    /// Whether the service is ready.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self.progress == Progress::Ready
    }

    /// Whether it may become ready without being started again.
    #[must_use]
    pub fn may_become_ready(self) -> bool {
        self.active
            && matches!(
                self.progress,
                Progress::NotReady | Progress::NotReadyAfterRun | Progress::CrashedBeforeReady
            )
    }

    /// Whether services that come `after` it have to wait: it is active and not ready, and has neither
    /// crashed nor come to its end.
    #[must_use]
    pub fn is_starting(self) -> bool {
        self.active && matches!(self.progress, Progress::NotReady | Progress::NotReadyAfterRun)
    }
}
