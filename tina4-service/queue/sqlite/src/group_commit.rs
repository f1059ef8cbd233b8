//! [`GroupCommit`]: requests that wait at the same time share one commit.

use std::collections::HashMap;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Collects requests of type `Q` while a commit is in progress, and answers them with `A` after the
/// next one.
///
/// No thread is needed: of the threads that wait, one commits for all. So a request waits for at most
/// two commits: the one in progress, and its own.
///
/// Threads whose requests shared a commit often have the next ones at the same time. The first of them waits a
/// moment for the others; otherwise it would commit alone, and they would wait for that and then for their own.
#[derive(Debug)]
pub(crate) struct GroupCommit<Q, A> {
    state: Mutex<State<Q, A>>,
    ended: Condvar,
    /// As many wait as the last commit had.
    gathered: Condvar,
    /// How long to wait for that at most.
    patience: Duration,
}

#[derive(Debug)]
struct State<Q, A> {
    last_ticket: u64,
    waiting: Vec<(u64, Q)>,
    /// Whether a thread is committing, or about to.
    is_busy: bool,
    /// How many requests the last commit had.
    last_size: usize,
    /// `None` if the commit panicked.
    answers: HashMap<u64, Option<A>>,
}

impl<Q, A> GroupCommit<Q, A> {
    pub(crate) fn new(patience: Duration) -> Self {
        let state = State {
            last_ticket: 0,
            waiting: Vec::new(),
            is_busy: false,
            last_size: 1,
            answers: HashMap::new(),
        };
        let (ended, gathered) = (Condvar::new(), Condvar::new());
        Self { state: Mutex::new(state), ended, gathered, patience }
    }

    /// Commits a request, perhaps together with others, and returns its answer.
    ///
    /// `commit` gets one or more requests and returns an answer for each, in their order. `None` means
    /// that the commit of the request has panicked, perhaps on another thread.
    pub(crate) fn submit(&self, request: Q, commit: impl FnOnce(Vec<Q>) -> Vec<A>) -> Option<A> {
        let mut state = self.lock();
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push((ticket, request));
        if state.is_busy && state.waiting.len() == state.last_size {
            self.gathered.notify_one();
        }
        while state.is_busy {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
            if let Some(answer) = state.answers.remove(&ticket) {
                return answer;
            }
        }
        state.is_busy = true;
        let is_short = |state: &mut State<Q, A>| state.waiting.len() < state.last_size;
        let gathering = self.gathered.wait_timeout_while(state, self.patience, is_short);
        let (mut state, _) = gathering.unwrap_or_else(PoisonError::into_inner);
        state.last_size = state.waiting.len();
        let (tickets, requests): (Vec<_>, Vec<_>) =
            mem::take(&mut state.waiting).into_iter().unzip();
        drop(state);
        let mut batch = Batch { group: self, tickets, answers: Vec::new() };
        batch.answers = commit(requests);
        drop(batch);
        self.lock().answers.remove(&ticket).flatten()
    }

    /// Each change of the state is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State<Q, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit in progress. When it is dropped, also in a panic, the requests get their answers.
struct Batch<'a, Q, A> {
    group: &'a GroupCommit<Q, A>,
    tickets: Vec<u64>,
    answers: Vec<A>,
}

impl<Q, A> Drop for Batch<'_, Q, A> {
    fn drop(&mut self) {
        let mut answers = mem::take(&mut self.answers).into_iter();
        let mut state = self.group.lock();
        for ticket in &self.tickets {
            state.answers.insert(*ticket, answers.next());
        }
        state.is_busy = false;
        drop(state);
        self.group.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Longer than a test may take.
    const FOREVER: Duration = Duration::from_secs(3_600);

    #[test]
    fn rule_130_requests_that_wait_share_the_next_commit() {
        let group = GroupCommit::new(FOREVER);
        let (started, is_started) = mpsc::channel();
        let (release, is_released) = mpsc::channel();
        thread::scope(|scope| {
            let group = &group;
            let first = scope.spawn(move || {
                group.submit(0, |requests: Vec<usize>| {
                    started.send(()).unwrap();
                    is_released.recv().unwrap();
                    vec![requests; 1]
                })
            });
            is_started.recv().unwrap();
            let others: Vec<_> = (1..=8)
                .map(|n| {
                    let together = |requests: Vec<usize>| vec![requests.clone(); requests.len()];
                    scope.spawn(move || [group.submit(n, together), group.submit(n, together)])
                })
                .collect();
            while group.lock().waiting.len() < 8 {
                thread::yield_now();
            }
            release.send(()).unwrap();
            assert_eq!(first.join().unwrap(), Some(vec![0]));
            for other in others {
                // The second time, the first one has waited for the others.
                for together in other.join().unwrap() {
                    let mut together = together.unwrap();
                    together.sort_unstable();
                    assert_eq!(together, [1, 2, 3, 4, 5, 6, 7, 8], "one commit for all eight");
                }
            }
        });
        assert!(group.lock().answers.is_empty());
    }

    #[test]
    fn a_request_alone_waits_for_nobody() {
        let group = GroupCommit::new(FOREVER);
        for n in 0..3 {
            assert_eq!(group.submit(n, |requests| requests), Some(n));
        }
    }

    #[test]
    fn nobody_waits_long_for_requests_that_do_not_come() {
        let group = GroupCommit::new(Duration::from_millis(1));
        group.lock().last_size = 8;
        assert_eq!(group.submit(1, |requests| requests), Some(1));
        assert_eq!(group.lock().last_size, 1);
    }

    #[test]
    fn each_request_gets_its_own_answer() {
        let group = GroupCommit::new(Duration::from_micros(100));
        thread::scope(|scope| {
            for n in 0..8_u64 {
                let group = &group;
                scope.spawn(move || {
                    for k in 0..200 {
                        let request = n * 1000 + k;
                        let double = |requests: Vec<u64>| requests.iter().map(|n| n * 2).collect();
                        assert_eq!(group.submit(request, double), Some(request * 2));
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_reaches_its_caller_and_leaves_nobody_waiting() {
        let group = GroupCommit::<u8, u8>::new(FOREVER);
        thread::scope(|scope| {
            let panicked = scope.spawn(|| group.submit(1, |_| panic!("planted"))).join();
            assert!(panicked.is_err());
        });
        assert_eq!(group.submit(2, |requests| requests), Some(2));
        assert_eq!(group.submit(3, |_| Vec::new()), None);
    }
}
