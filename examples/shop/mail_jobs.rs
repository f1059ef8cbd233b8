//! The queue of mails to send: a table beside the orders, so it survives whatever happens.
//!
//! One consumer takes from it, and never overlaps itself: that is the runner's promise, and the
//! folder's lock keeps a second process out. So a job that is `taken` when the consumer comes for
//! the next one is left over from a run that did not live to say how it went, and is taken again.

use rusqlite::{OptionalExtension as _, Row};

use crate::store::Store;

/// After this many attempts a mail is given up: its job is `dead`, for a human to look at.
pub(crate) const MOST_ATTEMPTS: u32 = 5;

/// A mail to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailJob {
    pub(crate) order: i64,
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
    /// This attempt, from 1. It is counted when the job is taken, so a job that takes the whole
    /// process down is given up as well.
    pub(crate) attempt: u32,
}

impl MailJob {
    fn gives_up(&self) -> bool {
        self.attempt >= MOST_ATTEMPTS
    }
}

impl Store {
    /// Takes the mail that has waited longest, if one is due.
    pub(crate) fn take_mail(&self) -> rusqlite::Result<Option<MailJob>> {
        self.transact(|books| {
            books.execute(
                "UPDATE mail_jobs SET state = 'dead', last_error = 'the last attempt never ended'
                 WHERE state = 'taken' AND attempts >= ?",
                [MOST_ATTEMPTS],
            )?;
            let due = "SELECT order_id FROM mail_jobs
                       WHERE state IN ('waiting', 'taken') AND due_at <= unixepoch()
                       ORDER BY due_at, order_id LIMIT 1";
            let Some(order) = books.query_row(due, [], |row| row.get(0)).optional()? else {
                return Ok(None);
            };
            let order: i64 = order;
            books.execute(
                "UPDATE mail_jobs SET state = 'taken', attempts = attempts + 1 WHERE order_id = ?",
                [order],
            )?;
            let job = "SELECT id, customer, item, quantity, attempts
                       FROM orders JOIN mail_jobs ON order_id = id WHERE id = ?";
            books.query_row(job, [order], read_job).map(Some)
        })
    }

    /// The mail is out.
    pub(crate) fn mail_sent(&self, job: &MailJob) -> rusqlite::Result<()> {
        self.settle(job, "state = 'sent', last_error = ?", None)
    }

    /// The mail did not get out: it is tried again after 2, 4, 8, 16 s, and then given up.
    pub(crate) fn mail_failed(&self, job: &MailJob, reason: &str) -> rusqlite::Result<Retry> {
        if job.gives_up() {
            self.settle(job, "state = 'dead', last_error = ?", Some(reason))?;
            return Ok(Retry::Never);
        }
        let change = "state = 'waiting', due_at = unixepoch() + (1 << attempts), last_error = ?";
        self.settle(job, change, Some(reason))?;
        Ok(Retry::Later)
    }

    /// The mail was not tried at all, for the shop closes: the attempt does not count.
    pub(crate) fn mail_put_back(&self, job: &MailJob) -> rusqlite::Result<()> {
        self.settle(job, "state = 'waiting', attempts = attempts - 1, last_error = ?", None)
    }

    fn settle(&self, job: &MailJob, change: &str, error: Option<&str>) -> rusqlite::Result<()> {
        let update =
            format!("UPDATE mail_jobs SET {change} WHERE order_id = ? AND state = 'taken'");
        self.transact(|books| books.execute(&update, (error, job.order)).map(drop))
    }
}

/// Whether a mail that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Yes, after a while.
    Later,
    /// No, it was the last attempt.
    Never,
}

fn read_job(row: &Row<'_>) -> rusqlite::Result<MailJob> {
    Ok(MailJob {
        order: row.get("id")?,
        customer: row.get("customer")?,
        item: row.get("item")?,
        quantity: row.get("quantity")?,
        attempt: row.get("attempts")?,
    })
}

#[cfg(test)]
mod tests;
