//! The conformance suite. Without the server of `.ci/servers`, these tests do nothing and say so.
//!
//! Time is virtual: the scripts read it from a key. They are the scripts of the engine otherwise.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::cmd;
use tina4_service_queue::contract::{self, Store};
use tina4_service_queue::engine_parts::Owner;
use tina4_service_queue::{Engine, Timestamp};

use crate::connection::Connection;
use crate::connector::Connector;
use crate::engine::RedisEngine;
use crate::keys::Keys;
use crate::script::Scripts;

#[path = "../tests/it/variable.rs"]
mod variable;

const START: i64 = 1_780_000_000_000;

/// A prefix of a server with a clock that stands still.
struct World {
    connector: Connector,
    connection: Mutex<Connection>,
    prefix: String,
    scripts: Scripts,
    now: AtomicI64,
}

impl World {
    fn new() -> Option<Self> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let address = variable::variable("TINA4_TEST_REDIS")?;
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("contract-{}-{number}", std::process::id());
        let connector = Connector::parse(&address).expect("the address is valid");
        let connection = connector.connect(connector.timeout).expect("the server can be reached");
        let scripts = Scripts::with_clock(&format!("call('LRANGE', '{{{prefix}}}:clock', 0, 1)"));
        let connection = Mutex::new(connection);
        Some(Self { connector, connection, prefix, scripts, now: AtomicI64::new(START) })
    }

    /// Removes everything.
    fn clear(&self) {
        let mut connection = self.connection.lock().unwrap();
        let pattern = format!("{{{}}}:*", self.prefix);
        let keys: Vec<String> = cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
        if !keys.is_empty() {
            cmd("DEL").arg(keys).exec(&mut connection).unwrap();
        }
    }

    fn set(&self, now: i64) {
        self.now.store(now, Ordering::SeqCst);
        let mut connection = self.connection.lock().unwrap();
        let key = format!("{{{}}}:clock", self.prefix);
        let (seconds, micros) = (now / 1000, now % 1000 * 1000);
        let mut replace = redis::pipe();
        replace.atomic().cmd("DEL").arg(&key);
        replace.cmd("RPUSH").arg(&key).arg(seconds).arg(micros);
        replace.exec(&mut connection).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.clear();
    }
}

struct VirtualServer(Arc<World>);

impl Store for VirtualServer {
    fn open(&self) -> Box<dyn Engine> {
        let owner = Owner::random();
        let keys = Keys::new(&self.0.prefix, owner.name());
        let scripts = self.0.scripts.clone();
        let engine = RedisEngine::with_scripts(&self.0.connector, keys, owner, scripts, false);
        Box::new(engine.expect("it opens"))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.load(Ordering::SeqCst))
    }

    fn pass(&self, time: Duration) {
        self.0.set(self.now().plus(time).as_millis());
    }

    fn unit(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// Runs the cases of a rule, one after the other under one prefix.
fn check(rule: u32) {
    let Some(world) = World::new() else { return };
    let world = Arc::new(world);
    let report = contract::run(&contract::cases_of(rule), &|| {
        world.clear();
        world.set(START);
        Box::new(VirtualServer(Arc::clone(&world)))
    });
    report.assert_passed();
    // The engine can do everything but transactions, so only cases of refusals do not apply.
    assert!(rule == 138 || report.left_out.is_empty(), "{:?}", report.left_out);
}

#[test]
fn rule_130_pushes() {
    check(130);
}

#[test]
fn rule_131_every_job_is_done_or_dead() {
    check(131);
}

#[test]
fn rule_132_claims_and_fences() {
    check(132);
}

#[test]
fn rule_133_order() {
    check(133);
}

#[test]
fn rule_134_jobs_that_are_given_back() {
    check(134);
}

#[test]
fn rule_135_duplicates_can_be_seen() {
    check(135);
}

#[test]
fn rule_138_refusals() {
    check(138);
}
