//! Which run the log lines of this thread belong to: what the engine tells the layer of the feature `run-log`.
//!
//! Without the feature, this does nothing and takes no space. Without the layer, a run reads one flag.

#[cfg(feature = "run-log")]
pub(crate) mod line;
#[cfg(feature = "run-log")]
pub(crate) mod lines;
#[cfg(feature = "run-log")]
pub(crate) mod logged_run;
#[cfg(feature = "run-log")]
pub(crate) mod store;

use crate::service::context::Context;
#[cfg(feature = "run-log")]
use crate::service::run_log::logged_run::{Current, LoggedRun};
#[cfg(feature = "run-log")]
use std::sync::Arc;

/// Collects the log lines of one run.
///
/// When it is dropped, the run is over: as a failing one, unless [`RunLogger::set_failed`] has said otherwise.
pub(crate) struct RunLogger {
    #[cfg(feature = "run-log")]
    run: Option<Arc<LoggedRun>>,
    #[cfg(feature = "run-log")]
    has_failed: bool,
}

/// While it exists, the lines of this thread belong to the run.
pub(crate) struct Collecting {
    #[cfg(feature = "run-log")]
    _outer: Option<Current>,
}

impl RunLogger {
    /// The lines are collected if the layer is installed.
    #[inline]
    pub(crate) fn begin(context: &Context, index: u32) -> Self {
        let _ = (context, index);
        Self {
            #[cfg(feature = "run-log")]
            run: logged_run::is_installed().then(|| LoggedRun::begin(context, index)),
            #[cfg(feature = "run-log")]
            has_failed: true,
        }
    }

    /// Makes a call, and collects its lines as those of a run.
    // perf: inlined, so that the call of the function is part of `invoke::run`.
    #[inline(always)]
    pub(crate) fn of_call<T>(
        context: &Context,
        index: u32,
        call: impl FnOnce() -> T,
        has_failed: impl FnOnce(&T) -> bool,
    ) -> T {
        let mut log = Self::begin(context, index);
        let result = {
            let _collecting = log.collect();
            call()
        };
        log.set_failed(has_failed(&result));
        result
    }

    /// Nothing is collected.
    #[cfg(feature = "tokio")]
    pub(crate) fn off() -> Self {
        Self {
            #[cfg(feature = "run-log")]
            run: None,
            #[cfg(feature = "run-log")]
            has_failed: true,
        }
    }

    /// From now on, the lines of this thread belong to the run, until the result is dropped. Then they belong to the
    /// same one as before: a service may poll the tasks of others.
    #[inline]
    #[cfg_attr(
        not(feature = "run-log"),
        expect(clippy::unused_self, reason = "as with the feature `run-log`")
    )]
    pub(crate) fn collect(&self) -> Collecting {
        Collecting {
            #[cfg(feature = "run-log")]
            _outer: self.run.as_ref().map(|run| Current::enter(Arc::clone(run))),
        }
    }

    /// Says whether the run has failed.
    #[inline]
    pub(crate) fn set_failed(&mut self, has_failed: bool) {
        #[cfg(feature = "run-log")]
        {
            self.has_failed = has_failed;
        }
        let _ = (self, has_failed);
    }
}

#[cfg(feature = "run-log")]
impl Drop for RunLogger {
    #[inline]
    fn drop(&mut self) {
        if let Some(run) = &self.run {
            run.end(self.has_failed);
        }
    }
}
