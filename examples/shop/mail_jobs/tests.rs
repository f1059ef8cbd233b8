//! The states of a mail job: sent, failed, abandoned, left over.

use super::*;
use crate::store::tests::{store, tea};

/// The state of the first order's email, and its number of attempts.
fn mail(store: &Store) -> (String, u32) {
    let order = store.order(1).expect("the database is open").expect("it was placed");
    (order.mail, order.mail_attempts)
}

/// Makes waiting emails due now.
fn make_due(store: &Store) {
    let update = "UPDATE mail_jobs SET due_at = 0";
    store.transact(|tx| tx.execute(update, ())).expect("the database is open");
}

fn take(store: &Store) -> MailJob {
    store.take_email().expect("the database is open").expect("one is due")
}

#[test]
fn jobs_are_taken_in_order_and_once() {
    let (_dir, store) = store();
    for _ in 0..2 {
        store.place(&tea()).expect("the database is open");
    }
    for order in [1, 2] {
        let job = take(&store);
        assert_eq!((job.order, job.attempt), (order, 1));
        store.email_sent(&job).expect("the database is open");
    }
    assert_eq!(store.take_email(), Ok(None));
    assert_eq!(mail(&store), ("sent".into(), 1));
}

#[test]
fn a_failing_email_backs_off_and_is_abandoned() {
    let (_dir, store) = store();
    store.place(&tea()).expect("the database is open");
    for attempt in 1..=MAX_ATTEMPTS {
        make_due(&store);
        let job = take(&store);
        assert_eq!(job.attempt, attempt);
        let retry = store.email_failed(&job, "connection refused").expect("the database is open");
        assert_eq!(retry == Retry::Never, attempt == MAX_ATTEMPTS);
        assert_eq!(store.take_email(), Ok(None), "attempt {attempt}: the retry is not due yet");
        if retry == Retry::Later {
            let query = "SELECT due_at - unixepoch() FROM mail_jobs";
            let wait: i64 = store
                .transact(|tx| tx.query_row(query, [], |row| row.get(0)))
                .expect("the database is open");
            let expected = 1 << attempt;
            assert!((expected - 1..=expected).contains(&wait), "attempt {attempt}: {wait} s");
        }
    }
    assert_eq!(mail(&store), ("dead".into(), MAX_ATTEMPTS));
}

#[test]
fn a_left_over_job_is_taken_again() {
    let (_dir, store) = store();
    store.place(&tea()).expect("the database is open");
    assert_eq!(take(&store).attempt, 1);
    assert_eq!(take(&store).attempt, 2);
}

#[test]
fn a_job_that_always_brings_down_the_process_is_abandoned() {
    let (_dir, store) = store();
    store.place(&tea()).expect("the database is open");
    for _ in 0..MAX_ATTEMPTS {
        take(&store);
    }
    assert_eq!(store.take_email(), Ok(None));
    assert_eq!(mail(&store), ("dead".into(), MAX_ATTEMPTS));
}

#[test]
fn a_requeued_attempt_does_not_count() {
    let (_dir, store) = store();
    store.place(&tea()).expect("the database is open");
    let job = take(&store);
    store.requeue_email(&job).expect("the database is open");
    assert_eq!(mail(&store), ("waiting".into(), 0));
}
