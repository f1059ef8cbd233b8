//! The life of a mail job: sent, failed, given up, left over.

use super::*;
use crate::store::tests::{store, tea};

/// State and attempts of the first order's mail.
fn mail(store: &Store) -> (String, u32) {
    let order = store.order(1).expect("the books are open").expect("it was placed");
    (order.mail, order.mail_attempts)
}

/// Makes waiting mails due.
fn pass_time(store: &Store) {
    let due = "UPDATE mail_jobs SET due_at = 0";
    store.transact(|books| books.execute(due, ())).expect("the books are open");
}

fn take(store: &Store) -> MailJob {
    store.take_mail().expect("the books are open").expect("one is due")
}

#[test]
fn jobs_are_taken_in_order_and_once() {
    let (_folder, store) = store();
    for _ in 0..2 {
        store.place(&tea()).expect("the books are open");
    }
    for order in [1, 2] {
        let job = take(&store);
        assert_eq!((job.order, job.attempt), (order, 1));
        store.mail_sent(&job).expect("the books are open");
    }
    assert_eq!(store.take_mail(), Ok(None));
    assert_eq!(mail(&store), ("sent".into(), 1));
}

#[test]
fn a_failing_mail_waits_longer_each_time_and_is_given_up() {
    let (_folder, store) = store();
    store.place(&tea()).expect("the books are open");
    for attempt in 1..=MOST_ATTEMPTS {
        pass_time(&store);
        let job = take(&store);
        assert_eq!(job.attempt, attempt);
        let retry = store.mail_failed(&job, "no ink").expect("the books are open");
        assert_eq!(retry == Retry::Never, attempt == MOST_ATTEMPTS);
        assert_eq!(store.take_mail(), Ok(None), "attempt {attempt}: it is not due yet");
        if retry == Retry::Later {
            let wait = "SELECT due_at - unixepoch() FROM mail_jobs";
            let wait: i64 = store
                .transact(|books| books.query_row(wait, [], |row| row.get(0)))
                .expect("the books are open");
            let expected = 1 << attempt;
            assert!((expected - 1..=expected).contains(&wait), "attempt {attempt}: {wait} s");
        }
    }
    assert_eq!(mail(&store), ("dead".into(), MOST_ATTEMPTS));
}

#[test]
fn a_job_that_was_left_over_is_taken_again() {
    let (_folder, store) = store();
    store.place(&tea()).expect("the books are open");
    assert_eq!(take(&store).attempt, 1);
    assert_eq!(take(&store).attempt, 2);
}

#[test]
fn a_job_that_takes_the_process_down_each_time_is_given_up() {
    let (_folder, store) = store();
    store.place(&tea()).expect("the books are open");
    for _ in 0..MOST_ATTEMPTS {
        take(&store);
    }
    assert_eq!(store.take_mail(), Ok(None));
    assert_eq!(mail(&store), ("dead".into(), MOST_ATTEMPTS));
}

#[test]
fn an_attempt_that_was_not_made_does_not_count() {
    let (_folder, store) = store();
    store.place(&tea()).expect("the books are open");
    let job = take(&store);
    store.mail_put_back(&job).expect("the books are open");
    assert_eq!(mail(&store), ("waiting".into(), 0));
}
