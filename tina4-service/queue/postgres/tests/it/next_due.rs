//! When queues have something to do.

use std::time::Duration;

use tina4_service_postgres::PostgresEngine;
use tina4_service_queue::{Engine as _, NewJob, RetryPolicy, Timestamp, Want};

use crate::servers::{Database, Via};

const NOW: Timestamp = Timestamp::from_millis(0);

fn next_due(engine: &PostgresEngine) -> Vec<Option<Duration>> {
    engine.next_due(&["empty", "numbers"], NOW).expect("the server answers")
}

/// Idle queues would cost a turn each if they were due.
#[test]
fn rule_8_a_queue_is_due_only_if_it_has_something_to_do() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    assert_eq!(next_due(&engine), [None, None]);
    let delay = Duration::from_secs(3600);
    engine.push(&[NewJob { delay, ..NewJob::new("numbers", "1") }], NOW).unwrap();
    let next = next_due(&engine)[1].expect("a job is delayed");
    assert!(next <= delay && next > delay - Duration::from_secs(60), "{next:?}");
    engine.push(&[NewJob::new("numbers", "2")], NOW).unwrap();
    let (lease, policy) = (Duration::from_secs(600), &RetryPolicy::DEFAULT);
    assert_eq!(next_due(&engine)[1], Some(Duration::ZERO));
    let want = Want { queue: "numbers", count: 1, lease, policy };
    assert_eq!(engine.turn(&[], &[want], NOW).unwrap().claims.len(), 1);
    let next = next_due(&engine)[1].expect("a lease ends");
    assert!(next <= lease && next > lease - Duration::from_secs(60), "{next:?}");
}

#[test]
fn rule_137_a_connection_that_was_lost_is_no_error_of_a_look() {
    for via in [Via::Server, Via::Pooler] {
        let Some(database) = Database::new(via) else { return };
        let engine = database.open();
        let mut other = database.connect();
        for _ in 0..3 {
            assert_eq!(next_due(&engine), [None, None]);
            // Until the connection counts as idle.
            other.batch_execute("select pg_sleep(0.2)").unwrap();
            database.cut(&mut other);
        }
        assert_eq!(next_due(&engine), [None, None]);
    }
}

/// The server uses the indexes, whatever it knows of the table.
#[test]
fn rule_8_a_look_reads_one_row_of_an_index_for_each_part() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let mut other = database.connect();
    let fill = "insert into tina4.job(queue, payload, state, due)
        select 'other', '1', n % 2, tina4.clock() + n * interval '1 minute' from generate_series(1, 20000) n";
    other.batch_execute(fill).unwrap();
    for analyze in ["", "analyze tina4.job"] {
        other.batch_execute(analyze).unwrap();
        assert_eq!(next_due(&engine), [None, None]);
        let mut read = || -> i64 {
            let count = "select sum(pg_stat_get_xact_tuples_returned(c.oid))::bigint from pg_class c
                where c.oid = 'tina4.job'::regclass
                or c.oid in (select indexrelid from pg_index where indrelid = 'tina4.job'::regclass)";
            let mut transaction = other.transaction().unwrap();
            let look = "select * from tina4.next_due(array['empty', 'other', 'numbers', 'other'])";
            transaction.query(look, &[]).unwrap();
            transaction.query_one(count, &[]).unwrap().get(0)
        };
        let read = read();
        assert!(read <= 8, "{read} rows");
    }
}
