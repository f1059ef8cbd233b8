//! [`Lane`]: a connection, and the requests that wait for it.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::Owner;

use crate::clock;
use crate::error::{NAME, failed_with, no_answer, unchanged_with};
use crate::session::Session;

/// What a lane does with its requests.
pub(crate) trait Work {
    type Request;
    type Answer;

    /// Answers requests, in their order: one or more that wait at the same time.
    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Self::Request>,
    ) -> Vec<Result<Self::Answer, EngineError>>;

    /// The answer to a request whose caller did not wait for it.
    fn unheard(&self, answer: Self::Answer) {
        drop(answer);
    }

    /// The work that remains once all callers have their answers, if some had left, within the time of the trip.
    fn afterwards(&self, session: &mut Session) {
        let _ = session;
    }
}

/// A connection. Requests that arrive while it is busy are answered together, so a request waits for at most
/// two trips to the server: the one in progress, and its own. A trip has an end, see [`Session::begin_trip_of`], and
/// ends at the latest when the thread that makes it has no more time. The others may leave before that.
///
/// No thread is needed: of the threads that wait, one makes the trip for all: one that has time for a whole trip, or the
/// one that has most. The client has no asynchronous runtime, so it may be one that is inside a runtime.
pub(crate) struct Lane<W: Work> {
    work: W,
    owner: Owner,
    /// How long a trip may take.
    timeout: Duration,
    /// Only the thread that makes the trip locks it.
    session: Mutex<Session>,
    state: Mutex<State<W>>,
    ended: Condvar,
}

type Answer<W> = Result<<W as Work>::Answer, EngineError>;

struct State<W: Work> {
    last_ticket: u64,
    waiting: Vec<Waiting<W>>,
    /// Whether a thread is making a trip.
    is_busy: bool,
    /// `None` if the trip panicked.
    answers: HashMap<u64, Option<Answer<W>>>,
    /// Those of the trip in progress whose callers have left.
    left: HashSet<u64>,
}

struct Waiting<W: Work> {
    ticket: u64,
    request: W::Request,
    /// Until when the caller waits.
    deadline: Instant,
}

impl<W: Work> State<W> {
    /// Forgets a request: it is not sent, or its answer is not wanted. Returns whether it was not sent.
    fn leave(&mut self, ticket: u64) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.ticket != ticket);
        let is_unsent = self.waiting.len() < before;
        if !is_unsent {
            self.left.insert(ticket);
        }
        is_unsent
    }

    /// Whether a caller with this deadline may make the trip for all: it has time for a whole one, or nobody has more.
    fn may_lead(&self, deadline: Instant, timeout: Duration) -> bool {
        let latest = self.waiting.iter().map(|waiting| waiting.deadline).max();
        latest.is_none_or(|latest| deadline >= latest.min(clock::later(timeout)))
    }
}

impl<W: Work> Lane<W> {
    pub(crate) fn new(owner: Owner, session: Session, work: W) -> Self {
        let state = State {
            last_ticket: 0,
            waiting: Vec::new(),
            is_busy: false,
            answers: HashMap::new(),
            left: HashSet::new(),
        };
        let timeout = session.timeout();
        let (session, state) = (Mutex::new(session), Mutex::new(state));
        Self { work, owner, timeout, session, state, ended: Condvar::new() }
    }

    /// Waits for the answer to a request.
    pub(crate) fn call(&self, request: W::Request) -> Result<W::Answer, EngineError> {
        self.call_within(Duration::MAX, request)
    }

    /// Waits for the answer to a request, but not longer than this.
    pub(crate) fn call_within(
        &self,
        limit: Duration,
        request: W::Request,
    ) -> Result<W::Answer, EngineError> {
        self.owner.check_process(NAME)?;
        let answer = self.submit(limit, request);
        answer.unwrap_or_else(|| Err(failed_with("the thread that made the trip has panicked")))
    }

    fn submit(&self, limit: Duration, request: W::Request) -> Option<Answer<W>> {
        let deadline = clock::later(limit);
        let left = || clock::until(deadline);
        let mut state = self.lock();
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push(Waiting { ticket, request, deadline });
        loop {
            let left = left();
            // Also when it is this thread's turn: a trip without time would fail for all who wait.
            if left.is_zero() {
                let text = no_answer(limit);
                let is_unsent = state.leave(ticket);
                self.ended.notify_all();
                return Some(Err(if is_unsent { unchanged_with(text) } else { failed_with(text) }));
            }
            if !state.is_busy && state.may_lead(deadline, self.timeout) {
                break;
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if let Some(answer) = state.answers.remove(&ticket) {
                return answer;
            }
        }
        state.is_busy = true;
        let waiting = mem::take(&mut state.waiting).into_iter();
        let (tickets, mut requests): (Vec<_>, Vec<_>) =
            waiting.map(|waiting| (waiting.ticket, waiting.request)).unzip();
        drop(state);
        let mut trip = Trip { lane: self, tickets, answers: Vec::new() };
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.begin_trip_of(left());
        trip.answers = self.work.answer(&mut session, &mut requests);
        if trip.reply() {
            self.work.afterwards(&mut session);
        }
        drop(session);
        drop(trip);
        self.lock().answers.remove(&ticket).flatten()
    }

    /// Each change of the state is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A trip in progress. When it is dropped, also in a panic, the requests get their answers.
struct Trip<'a, W: Work> {
    lane: &'a Lane<W>,
    tickets: Vec<u64>,
    answers: Vec<Answer<W>>,
}

impl<W: Work> Drop for Trip<'_, W> {
    fn drop(&mut self) {
        self.reply();
        self.lane.lock().is_busy = false;
        self.lane.ended.notify_all();
    }
}

impl<W: Work> Trip<'_, W> {
    /// Gives the requests their answers. Returns whether some callers had left.
    fn reply(&mut self) -> bool {
        let mut answers = mem::take(&mut self.answers).into_iter();
        let mut state = self.lane.lock();
        let mut have_left = false;
        for ticket in self.tickets.drain(..) {
            let answer = answers.next();
            if !state.left.remove(&ticket) {
                state.answers.insert(ticket, answer);
                continue;
            }
            have_left = true;
            if let Some(Ok(answer)) = answer {
                self.lane.work.unheard(answer);
            }
        }
        drop(state);
        self.lane.ended.notify_all();
        have_left
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::{self, ThreadId};

    use super::*;
    use crate::connector::Connector;
    use crate::keys::Keys;

    /// Answers with the batch that a request was in, after a signal. Panics at 13.
    struct Batches {
        /// Gets the thread that makes a trip.
        started: Mutex<Sender<ThreadId>>,
        release: Mutex<Receiver<()>>,
        unheard: Mutex<Vec<Vec<u32>>>,
        afterwards: AtomicU32,
    }

    impl Work for Batches {
        type Request = u32;
        type Answer = Vec<u32>;

        fn answer(
            &self,
            _session: &mut Session,
            requests: &mut Vec<u32>,
        ) -> Vec<Result<Vec<u32>, EngineError>> {
            assert!(!requests.contains(&13), "planted");
            self.started.lock().unwrap().send(thread::current().id()).unwrap();
            self.release.lock().unwrap().recv().unwrap();
            requests.iter().map(|_| Ok(requests.clone())).collect()
        }

        fn unheard(&self, answer: Vec<u32>) {
            self.unheard.lock().unwrap().push(answer);
        }

        fn afterwards(&self, _session: &mut Session) {
            self.afterwards.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lane() -> (Lane<Batches>, Receiver<ThreadId>, Sender<()>) {
        let (started, is_started) = channel();
        let (release, is_released) = channel();
        let work = Batches {
            started: Mutex::new(started),
            release: Mutex::new(is_released),
            unheard: Mutex::default(),
            afterwards: AtomicU32::new(0),
        };
        let connector = Connector::parse("redis://127.0.0.1:1/").unwrap();
        let owner = Owner::random();
        let session = Session::new(connector, Keys::new("none", owner.name()));
        (Lane::new(owner, session, work), is_started, release)
    }

    #[test]
    fn rule_130_requests_that_wait_share_the_next_trip() {
        let (lane, is_started, release) = lane();
        thread::scope(|scope| {
            let lane = &lane;
            let first = scope.spawn(move || lane.call(0).unwrap());
            is_started.recv().unwrap();
            let others: Vec<_> =
                (1..=8).map(|n| scope.spawn(move || lane.call(n).unwrap())).collect();
            while lane.lock().waiting.len() < 8 {
                thread::yield_now();
            }
            release.send(()).unwrap();
            assert_eq!(first.join().unwrap(), [0]);
            release.send(()).unwrap();
            for other in others {
                let mut together = other.join().unwrap();
                together.sort_unstable();
                assert_eq!(together, [1, 2, 3, 4, 5, 6, 7, 8], "one trip for all eight");
            }
        });
        assert!(lane.lock().answers.is_empty());
    }

    #[test]
    fn rule_137_a_caller_leaves_before_its_request_is_sent() {
        let (lane, is_started, release) = lane();
        thread::scope(|scope| {
            let first = scope.spawn(|| lane.call(0).unwrap());
            is_started.recv().unwrap();
            let error = lane.call_within(Duration::from_millis(1), 1).unwrap_err();
            assert!(error.is_unchanged(), "{error:?}");
            let error = error.to_string();
            assert!(error.contains("has not answered within 1ms"), "{error}");
            release.send(()).unwrap();
            assert_eq!(first.join().unwrap(), [0]);
        });
        assert!(lane.lock().waiting.is_empty() && lane.lock().left.is_empty());
    }

    /// All that wait would get its deadline.
    #[test]
    fn rule_137_a_caller_without_time_makes_no_trip() {
        let (lane, is_started, release) = lane();
        release.send(()).unwrap();
        let error = lane.call_within(Duration::ZERO, 1).unwrap_err().to_string();
        assert!(error.contains("has not answered within 0ns"), "{error}");
        assert!(is_started.try_recv().is_err(), "it has begun a trip");
        assert_eq!(lane.call(2).unwrap(), [2]);
        assert!(lane.lock().waiting.is_empty() && lane.lock().left.is_empty());
    }

    /// The one with more time makes the trip, whichever was first.
    #[test]
    fn rule_137_a_trip_is_not_made_by_a_caller_with_less_time() {
        let (lane, is_started, release) = lane();
        for _ in 0..50 {
            thread::scope(|scope| {
                let lane = &lane;
                let first = scope.spawn(move || lane.call(0).unwrap());
                is_started.recv().unwrap();
                let short = Duration::from_secs(5);
                let hurries = scope.spawn(move || lane.call_within(short, 1).unwrap());
                let stays = scope.spawn(move || lane.call(2).unwrap());
                let also_hurries = scope.spawn(move || lane.call_within(short, 3).unwrap());
                while lane.lock().waiting.len() < 3 {
                    thread::yield_now();
                }
                release.send(()).unwrap();
                first.join().unwrap();
                assert_eq!(is_started.recv().unwrap(), stays.thread().id());
                release.send(()).unwrap();
                for caller in [hurries, stays, also_hurries] {
                    assert_eq!(caller.join().unwrap().len(), 3, "one trip for all");
                }
            });
        }
    }

    #[test]
    fn rule_137_the_answer_to_a_caller_that_has_left_is_not_lost() {
        let (lane, is_started, release) = lane();
        thread::scope(|scope| {
            let lane = &lane;
            let first = scope.spawn(move || lane.call(0).unwrap());
            is_started.recv().unwrap();
            let stays = scope.spawn(move || lane.call(1).unwrap());
            let leaves = scope.spawn(move || lane.call_within(Duration::from_secs(1), 2));
            while lane.lock().waiting.len() < 2 {
                thread::yield_now();
            }
            release.send(()).unwrap();
            first.join().unwrap();
            is_started.recv().unwrap();
            // It leaves during the trip.
            let error = leaves.join().unwrap().unwrap_err();
            assert!(!error.is_unchanged(), "{error:?}");
            release.send(()).unwrap();
            assert_eq!(stays.join().unwrap().len(), 2);
        });
        assert_eq!(lane.work.unheard.lock().unwrap()[0].len(), 2);
        assert_eq!(lane.work.afterwards.load(Ordering::Relaxed), 1);
        assert!(lane.lock().answers.is_empty() && lane.lock().left.is_empty());
    }

    #[test]
    fn a_panic_reaches_its_caller_and_the_next_request_succeeds() {
        let (lane, _is_started, release) = lane();
        thread::scope(|scope| assert!(scope.spawn(|| lane.call(13)).join().is_err()));
        release.send(()).unwrap();
        assert_eq!(lane.call(1).unwrap(), [1]);
    }
}
