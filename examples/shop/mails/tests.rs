//! The states of an email, and the emails that are stored without a job.

use super::*;
use crate::store::tests::{queue_in_database, store, tea};
use tina4_service::MemoryEngine;

/// The state of the first order's email.
fn state(store: &Store) -> String {
    store.order(1).expect("the database is open").expect("it was placed").mail
}

/// A stand-in for a queue on a server.
fn queue_elsewhere() -> Queues {
    Queues::new(MemoryEngine::new())
}

#[test]
fn with_a_queue_on_a_server_the_push_follows_the_order() {
    let (_dir, store) = store();
    let queues = queue_elsewhere();
    store.place(tea(), &queues).expect("the database is open");
    assert_eq!(state(&store), "unpushed");
    let unpushed = store.unpushed_mails().expect("the database is open");
    let [(mail, key)] = &unpushed[..] else { panic!("{unpushed:?}") };
    // The shop is killed in between, and pushes it again.
    push(&queues, mail, key).expect("the engine works");
    push(&queues, mail, key).expect("the engine works");
    store.mail_pushed(mail.order).expect("the database is open");
    assert_eq!(state(&store), "waiting");
    assert_eq!(store.unpushed_mails(), Ok(vec![]));
    assert_eq!(MAILS.on(&queues).stats().expect("the engine works").backlog.ready, 1);
}

/// Its first order has the same number as that of the database before, whose job the queue still knows.
#[test]
fn a_new_database_pushes_its_emails_to_the_same_queue() {
    let queues = queue_elsewhere();
    for _ in 0..2 {
        let (_dir, store) = store();
        store.place(tea(), &queues).expect("the database is open");
        for (mail, key) in store.unpushed_mails().expect("the database is open") {
            push(&queues, &mail, &key).expect("the engine works");
        }
    }
    assert_eq!(MAILS.on(&queues).stats().expect("the engine works").backlog.ready, 2);
}

#[test]
fn an_email_that_was_sent_stays_sent() {
    let (_dir, store) = store();
    store.place(tea(), &queue_elsewhere()).expect("the database is open");
    store.mail_sent(1).expect("the database is open");
    store.mail_pushed(1).expect("the database is open");
    // The shop was killed after it had sent it, and so was the job's last attempt.
    store.mail_died(1).expect("the database is open");
    assert_eq!(state(&store), "sent");
}

#[test]
fn dead_emails_wait_again_once_they_are_put_back() {
    let (dir, store) = store();
    let queues = queue_in_database(&dir);
    for _ in 0..2 {
        store.place(tea(), &queues).expect("the database is open");
    }
    store.mail_died(1).expect("the database is open");
    store.mail_sent(2).expect("the database is open");
    assert_eq!(state(&store), "dead");
    store.mail_redriven(1).expect("the database is open");
    store.mail_redriven(2).expect("the database is open");
    assert_eq!(state(&store), "waiting");
    let second = store.order(2).expect("the database is open").expect("it was placed");
    assert_eq!(second.mail, "sent");
}
