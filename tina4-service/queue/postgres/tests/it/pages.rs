//! Selections of dead jobs that are larger than what one statement takes.

use std::thread;

use tina4_service_queue::{DeadSelection, Queue, Queues};

use crate::servers::{Database, Via};

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// How many dead jobs one statement takes.
const PAGE: i64 = 10_000;

/// Another transaction has locked the jobs of the first page, and deletes them: the page is empty then, but it is not
/// the last one.
#[test]
fn rule_131_a_page_that_another_transaction_has_emptied_does_not_end_a_redrive() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = NUMBERS.on(&Queues::new(database.open()));
    let mut other = database.connect();
    let insert = format!(
        "insert into tina4.dead(id, queue, payload, priority, attempt, claim, error, created, died)
         select n, 'numbers', '1', 0, 1, 1, 'e', now(), now() from generate_series(1, {}) n",
        PAGE + 5
    );
    other.batch_execute(&insert).unwrap();
    let mut transaction = other.transaction().unwrap();
    transaction.execute("delete from tina4.dead where id <= $1", &[&PAGE]).unwrap();
    // A transaction would see what it has seen first.
    let mut observer = database.connect();
    thread::scope(|scope| {
        let redriving = scope.spawn(|| numbers.redrive(DeadSelection::All).unwrap());
        let waiting = "select count(*) from pg_stat_activity where datname = current_database()
            and wait_event_type = 'Lock' and query like '%take_dead%' and pid <> pg_backend_pid()";
        while observer.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {
            assert!(!redriving.is_finished(), "it waits for the other transaction");
        }
        transaction.commit().unwrap();
        assert_eq!(redriving.join().unwrap(), 5);
    });
    let stats = numbers.stats().unwrap().backlog;
    assert_eq!((stats.dead, stats.ready), (0, 5));
}
