//! [`Lane`]: a thread with a connection, and the requests that wait for it.

use std::collections::HashSet;
use std::mem;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::{self, Owner};

use crate::clock;
use crate::connector::Connector;
use crate::error::{NAME, failed_with, no_answer, unchanged_with};
use crate::session::Session;
use crate::waits::Closing;

/// After how long without a request a connection is checked before it is used.
const IDLE: Duration = Duration::from_millis(50);

/// How soon the work that was left is tried again, if there is no request before.
const LEFT_WORK: Duration = Duration::from_millis(250);

/// What a lane does with its requests.
pub(crate) trait Work: Send + Sync + 'static {
    type Request: Send + 'static;
    type Answer: Send + 'static;

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

    /// The work that remains once all callers have their answers, within the time of the trip.
    fn afterwards(&self, session: &mut Session, requests: &[Self::Request]) {
        let _ = (session, requests);
    }

    /// Whether `afterwards` has left some of it, to be called again soon.
    fn has_left_work(&self) -> bool {
        false
    }
}

/// A thread with a connection. It is spawned by the first request.
///
/// Requests that arrive while it is busy are answered together, so a request waits for at most two trips to
/// the server: the one in progress, and its own. A trip has an end, see [`Session::begin_trip`], and a caller may
/// leave before that.
pub(crate) struct Lane<W: Work> {
    name: &'static str,
    connector: Connector,
    work: Arc<W>,
    mailbox: Arc<Mailbox<W>>,
    closing: Closing,
    owner: Owner,
}

struct Mailbox<W: Work> {
    state: Mutex<State<W>>,
    changed: Condvar,
}

struct State<W: Work> {
    last_ticket: u64,
    waiting: Vec<Waiting<W>>,
    /// Those of the trip in progress whose callers have left.
    left: HashSet<u64>,
    /// `None` if there is none, or it has panicked.
    thread: Option<JoinHandle<()>>,
    is_closed: bool,
}

struct Waiting<W: Work> {
    request: W::Request,
    caller: Caller<W>,
    /// Until when the caller waits.
    deadline: Instant,
}

struct Caller<W: Work> {
    ticket: u64,
    reply: SyncSender<Answer<W>>,
}

type Answer<W> = Result<<W as Work>::Answer, EngineError>;
type Batch<W> = (Vec<<W as Work>::Request>, Vec<Caller<W>>);

impl<W: Work> State<W> {
    /// The requests whose callers still wait. The others take theirs back.
    fn take_waiting(&mut self) -> Vec<Waiting<W>> {
        let now = clock::now();
        self.waiting.extract_if(.., |waiting| waiting.deadline > now).collect()
    }
}

impl<W: Work> Lane<W> {
    pub(crate) fn new((name, owner, connector): (&'static str, Owner, Connector), work: W) -> Self {
        let state = State {
            last_ticket: 0,
            waiting: Vec::new(),
            left: HashSet::new(),
            thread: None,
            is_closed: false,
        };
        let mailbox = Mailbox { state: Mutex::new(state), changed: Condvar::new() };
        Self {
            name,
            connector,
            work: Arc::new(work),
            mailbox: Arc::new(mailbox),
            closing: Closing::default(),
            owner,
        }
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
        let deadline = clock::later(limit);
        let (reply, answer) = sync_channel(1);
        let mut state = self.mailbox.lock();
        if state.thread.is_none() {
            state.thread = Some(self.spawn()?);
        }
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push(Waiting { request, caller: Caller { ticket, reply }, deadline });
        drop(state);
        self.mailbox.changed.notify_all();
        match answer.recv_timeout(limit) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => self.mailbox.leave(ticket, &answer, limit),
            Err(RecvTimeoutError::Disconnected) => Err(panicked()),
        }
    }

    /// Leaves an answer to the work, as if its caller had left.
    pub(crate) fn unheard(&self, answer: W::Answer) {
        self.work.unheard(answer);
    }

    fn spawn(&self) -> Result<JoinHandle<()>, EngineError> {
        let (mailbox, work) = (Arc::clone(&self.mailbox), Arc::clone(&self.work));
        let mut session = Session::new(self.connector.clone(), self.closing.clone());
        let body = move || {
            let mut running = Running { mailbox: &mailbox, callers: Vec::new() };
            while let Some((mut requests, callers)) =
                mailbox.next(&mut session, work.has_left_work())
            {
                running.callers = callers;
                session.begin_trip();
                let answers = work.answer(&mut session, &mut requests);
                for answer in mailbox.reply(running.callers.drain(..).zip(answers)) {
                    work.unheard(answer);
                }
                work.afterwards(&mut session, &requests);
                mailbox.pause(&session);
            }
        };
        engine_parts::spawn(self.name, body)
            .map_err(|error| unchanged_with(format!("no thread can be spawned: {error}")))
    }
}

fn panicked() -> EngineError {
    failed_with("the thread of the connection has panicked")
}

impl<W: Work> Mailbox<W> {
    /// The requests that wait; `None` when the lane is closed. If work was left, none after a moment.
    fn next(&self, session: &mut Session, has_left_work: bool) -> Option<Batch<W>> {
        let mut state = self.lock();
        let mut timeout = if has_left_work { LEFT_WORK } else { IDLE };
        loop {
            let waiting = state.take_waiting();
            if !waiting.is_empty() {
                let waiting = waiting.into_iter();
                return Some(waiting.map(|waiting| (waiting.request, waiting.caller)).unzip());
            }
            if state.is_closed {
                return None;
            }
            let waited = self.changed.wait_timeout(state, timeout);
            let (next, result) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if result.timed_out() {
                session.was_idle();
                if has_left_work {
                    return Some((Vec::new(), Vec::new()));
                }
                timeout = Duration::from_secs(3600);
            }
        }
    }

    /// The error of a caller whose time is over, unless the answer has come.
    fn leave(&self, ticket: u64, answer: &Receiver<Answer<W>>, limit: Duration) -> Answer<W> {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|waiting| waiting.caller.ticket != ticket);
        if state.waiting.len() < before {
            return Err(unchanged_with(no_answer(limit)));
        }
        // Answers are sent while the lock is held, so there is none later.
        match answer.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Disconnected) => Err(panicked()),
            Err(TryRecvError::Empty) => {
                state.left.insert(ticket);
                Err(failed_with(no_answer(limit)))
            }
        }
    }

    /// Sends the answers of a trip, and returns those whose callers have left.
    fn reply(&self, answers: impl Iterator<Item = (Caller<W>, Answer<W>)>) -> Vec<W::Answer> {
        let mut state = self.lock();
        let mut unheard = Vec::new();
        for (Caller { ticket, reply }, answer) in answers {
            if !state.left.remove(&ticket) {
                // There is room for one answer, and the caller waits for it.
                let _ = reply.send(answer);
            } else if let Ok(answer) = answer {
                unheard.push(answer);
            }
        }
        unheard
    }

    /// After a failed attempt to connect, waits before the next one.
    fn pause(&self, session: &Session) {
        let Some(pause) = session.pause() else { return };
        let state = self.lock();
        drop(self.changed.wait_timeout_while(state, pause, |state| !state.is_closed));
    }

    /// Each change of the state is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the thread ends, also in a panic, nobody is left waiting, and the next request spawns another one.
struct Running<'a, W: Work> {
    mailbox: &'a Mailbox<W>,
    /// Those of the trip in progress. They are told of a panic once the thread is known to be gone.
    callers: Vec<Caller<W>>,
}

impl<W: Work> Drop for Running<'_, W> {
    fn drop(&mut self) {
        let mut state = self.mailbox.lock();
        let waiting = mem::take(&mut state.waiting);
        state.left.clear();
        if !state.is_closed {
            state.thread = None;
        }
        drop(state);
        drop(waiting);
    }
}

/// Closes the connection, and waits until it is closed: not for the server, which may be stopped.
impl<W: Work> Drop for Lane<W> {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            return;
        }
        let mut state = self.mailbox.lock();
        state.is_closed = true;
        let thread = state.thread.take();
        drop(state);
        self.mailbox.changed.notify_all();
        self.closing.close();
        if let Some(thread) = thread {
            // It has panicked, which its callers were told.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;

    /// Answers with the batch that a request was in, after a signal. Panics at 13.
    struct Batches {
        started: Mutex<Sender<()>>,
        release: Mutex<Receiver<()>>,
        unheard: Mutex<Vec<Vec<u32>>>,
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
            self.started.lock().unwrap().send(()).unwrap();
            self.release.lock().unwrap().recv().unwrap();
            requests.iter().map(|_| Ok(requests.clone())).collect()
        }

        fn unheard(&self, answer: Vec<u32>) {
            self.unheard.lock().unwrap().push(answer);
        }
    }

    fn lane() -> (Lane<Batches>, Receiver<()>, Sender<()>) {
        let (started, is_started) = channel();
        let (release, is_released) = channel();
        let work = Batches {
            started: Mutex::new(started),
            release: Mutex::new(is_released),
            unheard: Mutex::default(),
        };
        let connector = Connector::parse("postgres://user@host/none").unwrap();
        (Lane::new(("test", Owner::random(), connector), work), is_started, release)
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
            while lane.mailbox.lock().waiting.len() < 8 {
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
    }

    #[test]
    fn a_panic_is_an_error_of_its_callers_and_the_next_request_succeeds() {
        let (lane, _is_started, release) = lane();
        let error = lane.call(13).unwrap_err().to_string();
        assert!(error.contains("has panicked"), "{error}");
        release.send(()).unwrap();
        assert_eq!(lane.call(1).unwrap(), [1]);
    }

    #[test]
    fn rule_137_a_caller_that_leaves_before_its_request_is_sent_has_changed_nothing() {
        let (lane, is_started, release) = lane();
        thread::scope(|scope| {
            let lane = &lane;
            let first = scope.spawn(move || lane.call(0).unwrap());
            is_started.recv().unwrap();
            let error = lane.call_within(Duration::from_millis(1), 1).unwrap_err();
            assert!(error.is_unchanged(), "{error:?}");
            let error = error.to_string();
            assert!(error.contains("has not answered within 1ms"), "{error}");
            release.send(()).unwrap();
            assert_eq!(first.join().unwrap(), [0]);
        });
        assert!(lane.mailbox.lock().waiting.is_empty() && lane.mailbox.lock().left.is_empty());
    }

    /// Whenever the caller leaves: it gets the answer, or the work does.
    #[test]
    fn rule_137_an_answer_is_not_lost_when_its_caller_leaves() {
        let (lane, is_started, release) = lane();
        let (mut heard, mut trips) = (0, 0);
        let unheard = || lane.work.unheard.lock().unwrap().len();
        while trips < 2_000 || heard == 0 || unheard() == 0 {
            let left = thread::scope(|scope| {
                let lane = &lane;
                let limit = Duration::from_micros(100 + trips % 400);
                let leaves = scope.spawn(move || lane.call_within(limit, 1));
                while is_started.try_recv().is_err() && !leaves.is_finished() {}
                // The answer comes at about the time when the caller leaves.
                release.send(()).unwrap();
                leaves.join().unwrap()
            });
            let had_trip = !left.as_ref().is_err_and(EngineError::is_unchanged);
            trips += u64::from(had_trip);
            heard += u64::from(left.is_ok());
            // Each trip takes a signal. The answer to this one comes after the one before.
            if had_trip {
                release.send(()).unwrap();
            }
            lane.call(0).unwrap();
            while is_started.try_recv().is_ok() {}
            assert_eq!(heard + u64::try_from(unheard()).unwrap(), trips);
        }
    }
}
