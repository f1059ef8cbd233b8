//! [`PostgresEngine`].

use std::fmt;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tina4_service_queue::engine_parts::{Hearing, Listener, Owner, each_page, pause_after};
use tina4_service_queue::{
    Backlog, Cancelled, Capabilities, DeadJob, DeadSelection, DoneJob, Ended, Engine, EngineError,
    Held, JobId, NewJob, Pushed, Timestamp, Turn, Want,
};
use tokio_postgres::{Client, Error};

use crate::admin::{self, Admin, Page, Task};
use crate::clock;
use crate::connector::Connector;
use crate::done;
use crate::error::{NAME, failed_with};
use crate::lane::Lane;
use crate::listener::Notifications;
use crate::owned_want::{OwnedWant, storable};
use crate::push::{self, OwnedJob, Pushes, Pushing};
use crate::schema;
use crate::session::{Failure, Session};
use crate::turn::{Answer, Request, Turns};

/// How long it may take to find out which queues need a turn. After that they get one.
const POLL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a turn waits until other transactions have released the jobs that it ends.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Keeps jobs in a PostgreSQL database, which any number of machines can share.
///
/// See the documentation of the crate for what is stored, how durable it is, and which connections it has.
///
/// All methods can be called on any thread, also inside an asynchronous runtime, whose thread they block.
///
/// ```no_run
/// use tina4_service_postgres::PostgresEngine;
/// use tina4_service_queue::Engine as _;
///
/// let engine = PostgresEngine::open("postgres://shop@localhost/shop")?;
/// for remark in engine.check()? {
///     eprintln!("{remark}");
/// }
/// # Ok::<(), tina4_service_queue::EngineError>(())
/// ```
pub struct PostgresEngine {
    owner: Owner,
    turns: Lane<Turns>,
    pushes: Lane<Pushes>,
    /// Pushes with a key.
    unique_pushes: Lane<Pushes>,
    /// Those that have to wait for a transaction that is about to take the key. The others do not wait for them.
    patient_pushes: Lane<Pushes>,
    admin: Lane<Admin>,
    listener: Option<Listener>,
}

impl PostgresEngine {
    /// What it can do: everything.
    pub(crate) const CAPABILITIES: Capabilities = Capabilities::ALL;

    /// Connects to a database without TLS, and creates the schema `tina4` in it if it does not exist.
    ///
    /// `PostgresBuilder` has settings: TLS, and where to listen for notifications.
    ///
    /// # Errors
    ///
    /// If the address cannot be read or demands TLS; if the server cannot be reached, is older than PostgreSQL 12,
    /// only reads, or has a database whose encoding is not UTF-8; if the tables are of a newer version of this crate.
    pub fn open(address: &str) -> Result<Self, EngineError> {
        let connector = Connector::parse(address)?;
        Self::with(&connector, Some(connector.clone()))
    }

    /// An engine with a connector for most connections, and one for the connection that listens, if it does.
    pub(crate) fn with(usual: &Connector, direct: Option<Connector>) -> Result<Self, EngineError> {
        usual.check()?;
        direct.as_ref().map_or(Ok(()), Connector::check)?;
        let owner = Owner::random();
        let name = || owner.name().to_owned();
        let listener = |direct: Connector| {
            let (usual, name) = (usual.clone(), name());
            Listener::new(owner.clone(), move || Notifications {
                direct: direct.clone(),
                usual: usual.clone(),
                owner: name.clone(),
            })
        };
        let lane = |name| (name, owner.clone(), usual.clone());
        let engine = Self {
            turns: Lane::new(lane("tina4-turns"), Turns::new(name())),
            pushes: Lane::new(lane("tina4-pushes"), Pushes::patient()),
            unique_pushes: Lane::new(lane("tina4-uniques"), Pushes::quick()),
            patient_pushes: Lane::new(lane("tina4-patient"), Pushes::patient()),
            admin: Lane::new(lane("tina4-admin"), Admin),
            listener: direct.map(listener),
            owner,
        };
        engine.administer(schema::prepare)??;
        Ok(engine)
    }

    /// Runs statements on the thread for everything that is neither a push nor a turn.
    fn administer<T: Send + 'static>(
        &self,
        call: impl AsyncFnOnce(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.administer_within(Duration::MAX, call)
    }

    /// The same, for a caller that waits this long at most.
    fn administer_within<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl AsyncFnOnce(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.run(limit, move |session| session.call(call))
    }

    fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce(&mut Session) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, answer) = sync_channel(1);
        let task: Task = Box::new(move |session| {
            let _ = reply.send(call(session).map_err(|failure| failure.error()));
        });
        self.admin.call_within(limit, task)?;
        answer.recv().unwrap_or_else(|_| Err(failed_with("the task has not been run")))
    }

    /// Puts dead jobs back, or deletes them: a page after the other, each in a trip of its own.
    fn take_dead(
        &self,
        limit: Duration,
        queue: &str,
        which: DeadSelection,
        is_redrive: bool,
    ) -> Result<u64, EngineError> {
        let deadline = clock::later(limit);
        each_page(NAME, Page::first(storable(queue), which, is_redrive), |page| {
            let take = async |client: &mut Client| page.take(client).await;
            self.administer_within(clock::until(deadline), take)
        })
    }
}

impl fmt::Debug for PostgresEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresEngine").field("owner", &self.owner.name()).finish_non_exhaustive()
    }
}

/// The time of an argument is ignored: the server's clock decides.
impl Engine for PostgresEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    fn owner(&self) -> &str {
        self.owner.name()
    }

    fn push(&self, jobs: &[NewJob<'_>], _now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        for job in jobs {
            job.check(NAME, Self::CAPABILITIES)?;
            push::check(job)?;
        }
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let is_unique = jobs.iter().any(|job| job.unique.is_some());
        let owned = || jobs.iter().map(OwnedJob::new).collect();
        let mut pushing =
            if is_unique { self.unique_pushes.call(owned())? } else { self.pushes.call(owned())? };
        if is_unique && matches!(pushing, Pushing::Locked(_)) {
            pushing = self.patient_pushes.call(owned())?;
        }
        match pushing {
            Pushing::Stored(pushed) => Ok(pushed),
            Pushing::Locked(error) => Err(error),
        }
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        let mut turn = self.turn_within(Duration::MAX, ended, wants, now)?;
        let deadline = clock::later(LOCK_PATIENCE);
        let mut attempts = 0;
        while !turn.locked.is_empty() && !clock::until(deadline).is_zero() {
            attempts += 1;
            clock::pause(pause_after(attempts));
            let is_locked = |ended: &&Ended| turn.locked.contains(&ended.held);
            let again: Vec<_> = ended.iter().filter(is_locked).cloned().collect();
            let next = match self.turn_within(Duration::MAX, &again, &[], now) {
                Ok(next) => next,
                // They are not made, as the caller is told, who gets the rest.
                Err(error) if error.is_unchanged() => break,
                // They may be made. The caller gets no claims then.
                Err(error) => {
                    self.turns.unheard(Answer::Turn(turn));
                    return Err(error);
                }
            };
            turn.stale.extend(next.stale);
            turn.locked = next.locked;
        }
        Ok(turn)
    }

    fn turn_within(
        &self,
        limit: Duration,
        ended: &[Ended],
        wants: &[Want<'_>],
        _now: Timestamp,
    ) -> Result<Turn, EngineError> {
        let wants = wants.iter().map(OwnedWant::new).collect();
        match self.turns.call_within(limit, Request::Turn { ended: ended.to_vec(), wants })? {
            Answer::Turn(turn) => Ok(turn),
            Answer::Renew(_) => Err(failed_with("the answer belongs to another request")),
        }
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        self.next_due_within(Duration::MAX, queues, now)
    }

    fn next_due_within(
        &self,
        limit: Duration,
        queues: &[&str],
        _now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let queues: Vec<_> = queues.iter().map(|queue| storable(queue)).collect();
        self.run(limit, move |session| {
            session.limit_trip(POLL_TIMEOUT.min(limit));
            session.read(async |client| admin::next_due(client, &queues).await)
        })
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.renew_within(Duration::MAX, held, lease, now)
    }

    fn renew_within(
        &self,
        limit: Duration,
        held: &[Held],
        lease: Duration,
        _now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        match self.turns.call_within(limit, Request::Renew { held: held.to_vec(), lease })? {
            Answer::Renew(lost) => Ok(lost),
            Answer::Turn(_) => Err(failed_with("the answer belongs to another request")),
        }
    }

    fn backlog(&self, queue: &str, _now: Timestamp) -> Result<Backlog, EngineError> {
        let queue = storable(queue);
        self.administer(async move |client| admin::backlog(client, &queue).await)
    }

    fn cancel(&self, queue: &str, id: JobId) -> Result<Cancelled, EngineError> {
        let queue = storable(queue);
        self.administer(async move |client| admin::cancel(client, &queue, id).await)
    }

    fn dead(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        let queue = storable(queue);
        self.administer(async move |client| admin::dead(client, &queue, after, limit).await)
    }

    fn redrive(
        &self,
        queue: &str,
        which: DeadSelection,
        _now: Timestamp,
    ) -> Result<u64, EngineError> {
        self.take_dead(Duration::MAX, queue, which, true)
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.purge_within(Duration::MAX, queue, which, now)
    }

    fn purge_within(
        &self,
        limit: Duration,
        queue: &str,
        which: DeadSelection,
        _now: Timestamp,
    ) -> Result<u64, EngineError> {
        self.take_dead(limit, queue, which, false)
    }

    fn done(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DoneJob>, EngineError> {
        let queue = storable(queue);
        self.administer(async move |client| done::list(client, &queue, after, limit).await)
    }

    fn purge_done(&self, queue: &str, age: Duration, now: Timestamp) -> Result<u64, EngineError> {
        self.purge_done_within(Duration::MAX, queue, age, now)
    }

    fn purge_done_within(
        &self,
        limit: Duration,
        queue: &str,
        age: Duration,
        _now: Timestamp,
    ) -> Result<u64, EngineError> {
        let deadline = clock::later(limit);
        each_page(NAME, (), |()| {
            let queue = storable(queue);
            let purging = async move |client: &mut Client| done::purge(client, &queue, age).await;
            let (deleted, is_more) = self.administer_within(clock::until(deadline), purging)?;
            Ok((deleted, is_more.then_some(())))
        })
    }

    fn check(&self) -> Result<Vec<String>, EngineError> {
        let mut remarks = self.administer(schema::check)??;
        if self.listener.as_ref().is_some_and(|listener| listener.hearing() == Hearing::Deaf) {
            remarks.push(
                "notifications of the PostgreSQL server do not arrive, as behind a pooler in transaction mode, so jobs of other processes are found by polling; give the address of the server itself with `PostgresBuilder::listen_at`"
                    .to_owned(),
            );
        }
        Ok(remarks)
    }

    fn watch(&self, wake: Box<dyn Fn(&str) + Send + Sync>) {
        if let Some(listener) = &self.listener {
            listener.add(wake.into());
        }
    }
}
