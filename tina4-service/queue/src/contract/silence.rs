//! What an engine does whose server does not answer.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::proxy::Proxy;
use crate::engine::Engine;
use crate::engine_error::EngineError;
use crate::engine_parts;
use crate::new_job::{NewJob, Unique};
use crate::retry_policy::RetryPolicy;
use crate::timestamp::Timestamp;
use crate::want::Want;

/// Within which something must end that has less time than this: for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Many times as long as after what a connection counts as idle.
const IDLE: Duration = Duration::from_secs(1);

type Call = fn(&dyn Engine) -> Result<(), EngineError>;

/// Pushes, with and without a key, a turn, and others: an engine may have a connection for each, and may check some of them
/// before they are used.
const CALLS: [Call; 5] = [
    |engine| push(engine, None),
    |engine| push(engine, Some(Unique { key: "k", window: None })),
    |engine| {
        let (lease, policy) = (Duration::from_secs(60), &RetryPolicy::DEFAULT);
        let want = Want { queue: "numbers", count: 1, lease, policy };
        engine.turn(&[], &[want], Timestamp::default()).map(drop)
    },
    |engine| engine.backlog("numbers", Timestamp::default()).map(drop),
    |engine| engine.next_due(&["numbers"], Timestamp::default()).map(drop),
];

fn push(engine: &dyn Engine, unique: Option<Unique<'_>>) -> Result<(), EngineError> {
    let job = NewJob { unique, ..NewJob::new("numbers", "1") };
    engine.push(&[job], Timestamp::default()).map(drop)
}

/// An engine behind a [`Proxy`], for a store with nothing in it.
///
/// ```no_run
/// use std::time::Duration;
///
/// use tina4_service_queue::MemoryEngine;
/// use tina4_service_queue::contract::{Proxy, Silence};
///
/// let proxy = Proxy::to("127.0.0.1:5432")?;
/// // .. an engine with the address of the proxy, whose calls end after 2 s ..
/// # let engine = MemoryEngine::new();
/// Silence::new(&proxy, engine).assert_calls_end(Duration::from_secs(2));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Silence<'a> {
    proxy: &'a Proxy,
    engine: Arc<dyn Engine>,
}

impl<'a> Silence<'a> {
    /// The server of the engine is behind the proxy. The engine listens for jobs of other processes from now on.
    pub fn new(proxy: &'a Proxy, engine: impl Engine + 'static) -> Self {
        engine.watch(Box::new(|_| {}));
        Self { proxy, engine: Arc::new(engine) }
    }

    /// Does something that must end within a minute.
    ///
    /// # Panics
    ///
    /// If it does not, or panics.
    pub fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, ended) = channel();
        let work = move || drop(sender.send(work()));
        engine_parts::spawn("test", work).expect("there are threads");
        ended.recv_timeout(PATIENCE).expect("it ends in time")
    }

    /// All calls of the engine succeed.
    ///
    /// # Panics
    ///
    /// If one fails.
    pub fn assert_works(&self) {
        for call in CALLS {
            call(&*self.engine).expect("it works");
        }
    }

    /// The server does not answer: calls end with an error after `limit`, on connections that are there and on new ones,
    /// and succeed again once it does. Dropping the engine does not wait for the server.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub fn assert_calls_end(self, limit: Duration) {
        self.assert_works();
        self.proxy.freeze();
        for _ in 0..2 {
            self.at_once(|result| {
                let error = result.expect_err("the server does not answer").to_string();
                let expected = format!("has not answered within {limit:?} (see whether");
                assert!(error.contains(&expected), "{error}");
            });
        }
        self.proxy.thaw();
        self.assert_works();
        self.assert_drop_ends();
    }

    /// The server does not answer: dropping the engine does not wait for it.
    ///
    /// # Panics
    ///
    /// If it does.
    pub fn assert_drop_ends(self) {
        self.proxy.freeze();
        let engine = self.engine;
        Self::ends(move || drop(engine));
    }

    /// A router in between has forgotten connections that were idle: they are replaced, within the time of a call. The limit
    /// of the engine must be longer than a minute.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub fn assert_dead_connections_are_replaced(&self) {
        self.assert_works();
        let (_open, nothing) = channel::<()>();
        assert!(nothing.recv_timeout(IDLE).is_err(), "nothing is sent");
        self.proxy.abandon();
        self.at_once(|result| result.expect("it works on a new connection"));
    }

    /// Makes all calls at the same time.
    fn at_once(&self, check: impl Fn(Result<(), EngineError>) + Sync) {
        thread::scope(|scope| {
            for call in CALLS {
                let (engine, check) = (Arc::clone(&self.engine), &check);
                scope.spawn(move || check(Self::ends(move || call(&*engine))));
            }
        });
    }
}
