//! The conformance suite, on PostgreSQL: directly, and through a pooler in transaction mode.
//!
//! Time is virtual: the function `tina4.clock`, which the engine asks for the time, is replaced.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postgres::Client;
use tina4_service_postgres::PostgresBuilder;
use tina4_service_queue::contract::{self, Report, Store};
use tina4_service_queue::{Engine, Timestamp};

use crate::servers::{Database, Via};

const START: i64 = 1_780_000_000_000;

/// A database with a clock that stands still.
struct World {
    database: Database,
    client: Mutex<Client>,
    now: AtomicI64,
}

impl World {
    fn new(via: Via) -> Option<Self> {
        let database = Database::new(via)?;
        drop(database.open());
        let mut client = database.connect();
        client
            .batch_execute(
                "create unlogged table public.test_clock(at timestamptz);
                 insert into public.test_clock values (now());
                 create or replace function tina4.clock() returns timestamptz language sql volatile
                 as 'select at from public.test_clock'",
            )
            .expect("the clock can be replaced");
        Some(Self { database, client: Mutex::new(client), now: AtomicI64::new(START) })
    }

    /// Removes all jobs.
    fn clear(&self) {
        let tables = "delete from tina4.job; delete from tina4.key; delete from tina4.dead; delete from tina4.done";
        self.client.lock().unwrap().batch_execute(tables).expect("the tables can be emptied");
        self.set(START);
    }

    fn set(&self, now: i64) {
        self.now.store(now, Ordering::SeqCst);
        let update = format!("update public.test_clock set at = to_timestamp({now} / 1000.0)");
        self.client.lock().unwrap().batch_execute(&update).expect("the clock can be set");
    }
}

struct VirtualServer(Arc<World>);

impl Store for VirtualServer {
    fn open(&self) -> Box<dyn Engine> {
        let builder = PostgresBuilder::new(&self.0.database.address).expect("it is valid");
        Box::new(builder.poll_only().open().expect("it opens"))
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

/// Runs the cases of a rule, one after the other in one database.
fn run(rule: u32, via: Via) -> Option<Report> {
    let world = Arc::new(World::new(via)?);
    let report = contract::run(&contract::cases_of(rule), &|| {
        world.clear();
        Box::new(VirtualServer(Arc::clone(&world)))
    });
    Some(report)
}

fn check(rule: u32, via: Via) {
    let Some(report) = run(rule, via) else { return };
    report.assert_passed();
    // The engine can do everything, so only cases of refusals do not apply.
    assert!(rule == 138 || report.left_out.is_empty(), "{:?}", report.left_out);
}

mod direct {
    use super::*;

    #[test]
    fn rule_130_pushes() {
        check(130, Via::Server);
    }

    #[test]
    fn rule_131_every_job_is_done_or_dead() {
        check(131, Via::Server);
    }

    #[test]
    fn rule_132_claims_and_fences() {
        check(132, Via::Server);
    }

    #[test]
    fn rule_133_order() {
        check(133, Via::Server);
    }

    #[test]
    fn rule_134_jobs_that_are_given_back() {
        check(134, Via::Server);
    }

    #[test]
    fn rule_135_duplicates_can_be_seen() {
        check(135, Via::Server);
    }

    #[test]
    fn rule_138_refusals() {
        check(138, Via::Server);
    }
}

mod pooled {
    use super::*;

    #[test]
    fn rule_130_pushes() {
        check(130, Via::Pooler);
    }

    #[test]
    fn rule_131_every_job_is_done_or_dead() {
        check(131, Via::Pooler);
    }

    #[test]
    fn rule_132_claims_and_fences() {
        check(132, Via::Pooler);
    }

    #[test]
    fn rule_133_order() {
        check(133, Via::Pooler);
    }

    #[test]
    fn rule_134_jobs_that_are_given_back() {
        check(134, Via::Pooler);
    }

    #[test]
    fn rule_135_duplicates_can_be_seen() {
        check(135, Via::Pooler);
    }

    #[test]
    fn rule_138_refusals() {
        check(138, Via::Pooler);
    }
}
