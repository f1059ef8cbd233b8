//! [`Lane`]: a thread with a connection, and the requests that wait for it.

use std::mem;
use std::sync::mpsc::{SendError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::{self, Owner};

use crate::clock;
use crate::connector::Connector;
use crate::error::{NAME, failed_with, no_answer};
use crate::session::Session;
use crate::waits::Closing;

/// After how long without a request a connection is checked before it is used.
const IDLE: Duration = Duration::from_millis(50);

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
    waiting: Vec<Waiting<W>>,
    /// `None` if there is none, or it has panicked.
    thread: Option<JoinHandle<()>>,
    is_closed: bool,
}

struct Waiting<W: Work> {
    request: W::Request,
    reply: Reply<W>,
    /// Until when the caller waits.
    deadline: Instant,
}

impl<W: Work> State<W> {
    /// Forgets the requests whose callers have left.
    fn is_anybody_waiting(&mut self) -> bool {
        let now = clock::now();
        self.waiting.retain(|waiting| waiting.deadline > now);
        !self.waiting.is_empty()
    }
}

impl<W: Work> Lane<W> {
    pub(crate) fn new((name, owner, connector): (&'static str, Owner, Connector), work: W) -> Self {
        let state = State { waiting: Vec::new(), thread: None, is_closed: false };
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
        state.waiting.push(Waiting { request, reply, deadline });
        drop(state);
        self.mailbox.changed.notify_all();
        answer.recv_timeout(limit).unwrap_or_else(|_| {
            // In time, the thread answers or drops the request.
            Err(failed_with(if clock::now() < deadline {
                "the thread of the connection has panicked".to_owned()
            } else {
                no_answer(limit)
            }))
        })
    }

    fn spawn(&self) -> Result<JoinHandle<()>, EngineError> {
        let (mailbox, work) = (Arc::clone(&self.mailbox), Arc::clone(&self.work));
        let mut session = Session::new(self.connector.clone(), self.closing.clone());
        let body = move || {
            let mut running = Running { mailbox: &mailbox, replies: Vec::new() };
            while let Some((mut requests, replies)) = mailbox.next(&mut session) {
                running.replies = replies;
                session.begin_trip();
                let answers = work.answer(&mut session, &mut requests);
                for (reply, answer) in running.replies.drain(..).zip(answers) {
                    if let Err(SendError(Ok(answer))) = reply.send(answer) {
                        work.unheard(answer);
                    }
                }
                work.afterwards(&mut session, &requests);
                mailbox.pause(&session);
            }
        };
        engine_parts::spawn(self.name, body)
            .map_err(|error| failed_with(format!("no thread can be spawned: {error}")))
    }
}

type Reply<W> = SyncSender<Result<<W as Work>::Answer, EngineError>>;
type Batch<W> = (Vec<<W as Work>::Request>, Vec<Reply<W>>);

impl<W: Work> Mailbox<W> {
    /// The requests that wait; `None` when the lane is closed.
    fn next(&self, session: &mut Session) -> Option<Batch<W>> {
        let mut state = self.lock();
        let mut timeout = IDLE;
        while !state.is_anybody_waiting() {
            if state.is_closed {
                return None;
            }
            let waited = self.changed.wait_timeout(state, timeout);
            let (next, result) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if result.timed_out() {
                session.was_idle();
                timeout = Duration::from_secs(3600);
            }
        }
        let waiting = mem::take(&mut state.waiting).into_iter();
        Some(waiting.map(|Waiting { request, reply, .. }| (request, reply)).unzip())
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
    /// Those of the trip in progress. Their callers are told of a panic once the thread is known to be gone.
    replies: Vec<Reply<W>>,
}

impl<W: Work> Drop for Running<'_, W> {
    fn drop(&mut self) {
        let mut state = self.mailbox.lock();
        let waiting = mem::take(&mut state.waiting);
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
    }

    fn lane() -> (Lane<Batches>, Receiver<()>, Sender<()>) {
        let (started, is_started) = channel();
        let (release, is_released) = channel();
        let work = Batches { started: Mutex::new(started), release: Mutex::new(is_released) };
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
}
