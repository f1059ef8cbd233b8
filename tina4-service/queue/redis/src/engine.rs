//! [`RedisEngine`].

use std::fmt;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tina4_service_queue::engine_parts::{Hearing, Listener, Owner, each_page};
use tina4_service_queue::{
    Backlog, Cancelled, Capabilities, DeadJob, DeadSelection, DoneJob, Ended, Engine, EngineError,
    Feature, Held, JobId, NewJob, Pushed, Timestamp, Turn, Want,
};

use crate::admin::{Admin, Administration, Task};
use crate::clock;
use crate::connector::Connector;
use crate::error::{NAME, failed_with};
use crate::keys::{self, Keys};
use crate::lane::Lane;
use crate::listener::Messages;
use crate::push::{self, OwnedJob, Pushes};
use crate::script::Scripts;
use crate::server;
use crate::session::Session;
use crate::turn::{Answer, OwnedWant, Request, Turns};

/// Keeps jobs in a Redis server, which any number of machines can share.
///
/// See the documentation of the crate for what is stored, how durable it is, and which connections it has.
///
/// All methods can be called on any thread, also inside an asynchronous runtime, whose thread they block.
///
/// ```no_run
/// use tina4_service_queue::Engine as _;
/// use tina4_service_redis::RedisEngine;
///
/// let engine = RedisEngine::open("redis://localhost/")?;
/// for remark in engine.check()? {
///     eprintln!("{remark}");
/// }
/// # Ok::<(), tina4_service_queue::EngineError>(())
/// ```
pub struct RedisEngine {
    owner: Owner,
    turns: Lane<Turns>,
    pushes: Lane<Pushes>,
    /// Everything that is neither a push nor a turn.
    admin: Lane<Administration>,
    listener: Option<Listener>,
}

impl RedisEngine {
    /// What it can do: everything, except for taking part in somebody else's transaction.
    pub(crate) const CAPABILITIES: Capabilities = Capabilities::ALL.without(Feature::Transactions);

    /// Connects to a server. All keys begin with `{tina4}:`.
    ///
    /// `RedisBuilder` has settings: the prefix of the keys, and whether to listen for messages.
    ///
    /// # Errors
    ///
    /// If the address cannot be read; if the server cannot be reached, is older than Redis 6.2, a replica or a node
    /// of a cluster, or deletes keys when memory is short; if the keys are of a newer version of this crate.
    pub fn open(address: &str) -> Result<Self, EngineError> {
        Self::with(&Connector::parse(address)?, keys::PREFIX, true)
    }

    pub(crate) fn with(
        connector: &Connector,
        prefix: &str,
        listens: bool,
    ) -> Result<Self, EngineError> {
        keys::check(prefix)?;
        let owner = Owner::random();
        let keys = Keys::new(prefix, owner.name());
        let connector = connector.clone().with_prefix(prefix);
        Self::with_scripts(&connector, keys, owner, Scripts::new(), listens)
    }

    pub(crate) fn with_scripts(
        connector: &Connector,
        keys: Keys,
        owner: Owner,
        scripts: Scripts,
        listens: bool,
    ) -> Result<Self, EngineError> {
        let session = || Session::new(connector.clone(), keys.clone());
        let name = || owner.name().to_owned();
        let channel = keys.channel();
        let pushes =
            Pushes { script: scripts.push.clone(), owner: name(), channel: channel.clone() };
        let turns = Turns {
            turn: scripts.turn.clone(),
            renew: scripts.renew.clone(),
            owner: name(),
            unreceived: Mutex::default(),
        };
        let listener = || {
            let connector = connector.clone();
            Listener::new(owner.clone(), move || Messages {
                connector: connector.clone(),
                channel: channel.clone(),
            })
        };
        let engine = Self {
            turns: Lane::new(owner.clone(), session(), turns),
            pushes: Lane::new(owner.clone(), session(), pushes),
            admin: Lane::new(owner.clone(), session(), Administration { scripts, owner: name() }),
            listener: listens.then(listener),
            owner,
        };
        engine.administer(|admin| {
            let prepared = admin.session.call(server::prepare);
            prepared.map_err(|failure| failure.error())?
        })?;
        Ok(engine)
    }

    /// Does something that is neither a push nor a turn.
    fn administer<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Admin<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.administer_within(Duration::MAX, call)
    }

    /// The same, for a caller that waits this long at most.
    fn administer_within<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce(&mut Admin<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, answer) = sync_channel(1);
        let run = Box::new(move |admin: &mut Admin<'_>| {
            let _ = reply.send(call(admin));
        });
        self.admin.call_within(limit, Task { deadline: clock::later(limit), run })?;
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
        each_page(NAME, String::new(), |after| {
            let queue = queue.to_owned();
            self.administer_within(clock::until(deadline), move |admin| {
                admin.take_dead(&queue, which, is_redrive, &after)
            })
        })
    }
}

impl fmt::Debug for RedisEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEngine").field("owner", &self.owner.name()).finish_non_exhaustive()
    }
}

/// The time of an argument is ignored: the server's clock decides.
impl Engine for RedisEngine {
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
        }
        push::check(jobs)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        self.pushes.call(jobs.iter().map(OwnedJob::new).collect())
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.turn_within(Duration::MAX, ended, wants, now)
    }

    fn turn_within(
        &self,
        limit: Duration,
        ended: &[Ended],
        wants: &[Want<'_>],
        _now: Timestamp,
    ) -> Result<Turn, EngineError> {
        let wants = wants.iter().map(OwnedWant::new).collect();
        let request = Request::Turn { ended: ended.to_vec(), wants };
        match self.turns.call_within(limit, request)? {
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
        let queues: Vec<_> = queues.iter().map(|queue| (*queue).to_owned()).collect();
        self.administer_within(limit, move |admin| admin.next_due(&queues))
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

    fn check(&self) -> Result<Vec<String>, EngineError> {
        let mut remarks = self.administer(|admin| {
            let checked = admin.session.call(server::check_all);
            checked.map_err(|failure| failure.error())?
        })?;
        if self.listener.as_ref().is_some_and(|listener| listener.hearing() == Hearing::Deaf) {
            remarks.push(
                "the Redis server does not let this user listen for messages, so jobs of other processes are found by polling; allow `subscribe` and the channel, or say so with `RedisBuilder::poll_only`"
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

    fn backlog(&self, queue: &str, _now: Timestamp) -> Result<Backlog, EngineError> {
        let queue = queue.to_owned();
        self.administer(move |admin| admin.backlog(&queue))
    }

    fn cancel(&self, queue: &str, id: JobId) -> Result<Cancelled, EngineError> {
        let queue = queue.to_owned();
        self.administer(move |admin| admin.cancel(&queue, id))
    }

    fn dead(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        let queue = queue.to_owned();
        self.administer(move |admin| admin.dead(&queue, after, limit))
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
        let queue = queue.to_owned();
        self.administer(move |admin| admin.done(&queue, after, limit))
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
            let queue = queue.to_owned();
            let purge = move |admin: &mut Admin<'_>| admin.purge_done(&queue, age);
            let (deleted, is_more) = self.administer_within(clock::until(deadline), purge)?;
            Ok((deleted, is_more.then_some(())))
        })
    }
}
