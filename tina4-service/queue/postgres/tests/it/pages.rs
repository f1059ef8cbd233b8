//! Selections of dead jobs that are larger than what one statement takes.

use std::thread;
use std::time::Duration;

use tina4_service_queue::{DeadSelection, EngineError, Queue, Queues};

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

/// The second page is refused.
#[test]
fn rule_137_an_error_after_the_first_page_does_not_say_that_nothing_was_changed() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = NUMBERS.on(&Queues::new(database.open()));
    let mut other = database.connect();
    let refuse = "create function public.refuse() returns trigger language plpgsql as
            'begin if old.id > 10000 then raise exception ''page 2''; end if; return old; end';
        create trigger refuse before delete on tina4.dead for each row execute function public.refuse();
        create trigger refuse before delete on tina4.done for each row execute function public.refuse()";
    other.batch_execute(refuse).unwrap();
    let insert = format!(
        "insert into tina4.dead(id, queue, payload, priority, attempt, claim, error, created, died)
         select n, 'numbers', '1', 0, 1, 1, 'e', now(), now() from generate_series(1, {0}) n;
         insert into tina4.done(queue, id, payload, attempt, created, done)
         select 'numbers', n, '1', 1, now(), now() - n * interval '-1 microsecond' - interval '1 hour'
         from generate_series(1, {0}) n",
        PAGE + 5
    );
    other.batch_execute(&insert).unwrap();
    let purge = || numbers.purge(DeadSelection::All).unwrap_err();
    let purge_done = || numbers.purge_done(Duration::from_secs(60)).unwrap_err();
    let calls: [(&str, &dyn Fn() -> EngineError); 2] = [("dead", &purge), ("done", &purge_done)];
    for (table, call) in calls {
        for changes in [true, false] {
            let error = call();
            assert_eq!(error.is_unchanged(), !changes, "{error:?}");
            assert!(error.to_string().contains("page 2"), "{error}");
            let count = format!("select count(*) from tina4.{table}");
            assert_eq!(other.query_one(&count, &[]).unwrap().get::<_, i64>(0), 5);
        }
    }
}
