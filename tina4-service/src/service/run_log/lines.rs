//! The log lines of one run, within limits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::service::run_log::line::RunLogLine;
use crate::sys::sync::std_lock;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many lines of a run.
    pub(crate) lines: usize,
    /// How many bytes of a run.
    pub(crate) bytes: usize,
    /// How many bytes of all runs of a runner.
    pub(crate) total: usize,
}

/// The lines of one run, which the thread of the run writes, and anybody may read.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) run: u64,
    /// The bytes of all runs of the runner.
    total: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<RunLogLine>,
    bytes: usize,
    /// How many lines were dropped.
    dropped: u64,
    /// Whether there was a line, which may have been dropped since.
    has_begun: bool,
    is_over: bool,
}

impl Lines {
    pub(crate) fn new(run: u64, total: Arc<AtomicUsize>) -> Self {
        Self { run, total, state: Mutex::default() }
    }

    /// Adds a line, and drops the oldest ones of the run that are beyond its limits; `false`: the run is over, so
    /// the line does not count. `begin` is called for the first line, while the run cannot end.
    pub(crate) fn add(&self, line: RunLogLine, limits: Limits, begin: impl FnOnce()) -> bool {
        let mut state = std_lock(&self.state);
        if state.is_over {
            return false;
        }
        if !std::mem::replace(&mut state.has_begun, true) {
            begin();
        }
        let size = line.size();
        state.bytes += size;
        state.lines.push_back(line);
        self.total.fetch_add(size, Ordering::Relaxed);
        while state.lines.len() > limits.lines || state.bytes > limits.bytes {
            self.drop_oldest(&mut state);
        }
        true
    }

    /// Drops the oldest lines until all runs together have few enough.
    pub(crate) fn shrink(&self, limits: Limits) {
        let mut state = std_lock(&self.state);
        while !state.lines.is_empty() && self.total.load(Ordering::Relaxed) > limits.total {
            self.drop_oldest(&mut state);
        }
    }

    fn drop_oldest(&self, state: &mut State) {
        if let Some(line) = state.lines.pop_front() {
            state.bytes -= line.size();
            state.dropped += 1;
            self.total.fetch_sub(line.size(), Ordering::Relaxed);
        }
    }

    /// No line is added any more. Returns whether there was any.
    pub(crate) fn end(&self) -> bool {
        let mut state = std_lock(&self.state);
        state.is_over = true;
        state.has_begun
    }

    /// The lines, and how many were dropped.
    pub(crate) fn read(&self) -> (Vec<RunLogLine>, u64) {
        let state = std_lock(&self.state);
        (state.lines.iter().cloned().collect(), state.dropped)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let bytes = std_lock(&self.state).bytes;
        self.total.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::TryLockError;
    use std::time::SystemTime;

    use super::*;

    const LIMITS: Limits = Limits { lines: 2, bytes: 1_000, total: 10_000 };

    fn line() -> RunLogLine {
        RunLogLine::new(SystemTime::UNIX_EPOCH, tracing::Level::INFO, "t", "text".to_owned())
    }

    /// Otherwise, a run that ends meanwhile would be begun after its end, and in progress forever.
    #[test]
    fn rule_119_a_run_cannot_end_while_its_first_line_makes_it_known() {
        let lines = Lines::new(1, Arc::default());
        let mut begins = 0;
        let begin = |lines: &Lines| {
            assert!(matches!(lines.state.try_lock(), Err(TryLockError::WouldBlock)));
        };
        for _ in 0..3 {
            assert!(lines.add(line(), LIMITS, || {
                begin(&lines);
                begins += 1;
            }));
        }
        assert_eq!((begins, lines.read().0.len(), lines.read().1), (1, 2, 1));
        assert!(lines.end());
        assert!(!lines.add(line(), LIMITS, || unreachable!("it has begun")));
    }
}
