//! The queue of emails to send: a table next to the orders, so that it survives a crash.
//!
//! It has a single consumer. The runner guarantees that its runs never overlap, and a lock on the
//! directory excludes a second process. A job that is already `taken` when the consumer asks for
//! the next one must therefore be left over from a run that was killed, so it is taken again.

use rusqlite::{OptionalExtension as _, Row};

use crate::store::Store;

/// After this many attempts an email is abandoned: its job becomes `dead`, for a human to inspect.
pub(crate) const MAX_ATTEMPTS: u32 = 5;

/// An email to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailJob {
    pub(crate) order: i64,
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
    /// The number of this attempt, from 1. It is incremented when the job is taken, so that a job
    /// that brings down the process is abandoned too.
    pub(crate) attempt: u32,
}

impl MailJob {
    fn is_last_attempt(&self) -> bool {
        self.attempt >= MAX_ATTEMPTS
    }
}

impl Store {
    /// Takes the email that has been due for longest, if there is one.
    pub(crate) fn take_email(&self) -> rusqlite::Result<Option<MailJob>> {
        self.transact(|tx| {
            tx.execute(
                "UPDATE mail_jobs SET state = 'dead', last_error = 'the last attempt did not end'
                 WHERE state = 'taken' AND attempts >= ?",
                [MAX_ATTEMPTS],
            )?;
            let due_query = "SELECT order_id FROM mail_jobs
                             WHERE state IN ('waiting', 'taken') AND due_at <= unixepoch()
                             ORDER BY due_at, order_id LIMIT 1";
            let Some(order) = tx.query_row(due_query, [], |row| row.get(0)).optional()? else {
                return Ok(None);
            };
            let order: i64 = order;
            tx.execute(
                "UPDATE mail_jobs SET state = 'taken', attempts = attempts + 1 WHERE order_id = ?",
                [order],
            )?;
            let job_query = "SELECT id, customer, item, quantity, attempts
                             FROM orders JOIN mail_jobs ON order_id = id WHERE id = ?";
            tx.query_row(job_query, [order], read_job).map(Some)
        })
    }

    /// Records that the email was sent.
    pub(crate) fn email_sent(&self, job: &MailJob) -> rusqlite::Result<()> {
        self.update_job(job, "state = 'sent', last_error = ?", None)
    }

    /// Records that the email could not be sent. It is retried after 2, 4, 8 and 16 s, and then
    /// abandoned.
    pub(crate) fn email_failed(&self, job: &MailJob, reason: &str) -> rusqlite::Result<Retry> {
        if job.is_last_attempt() {
            self.update_job(job, "state = 'dead', last_error = ?", Some(reason))?;
            return Ok(Retry::Never);
        }
        let change = "state = 'waiting', due_at = unixepoch() + (1 << attempts), last_error = ?";
        self.update_job(job, change, Some(reason))?;
        Ok(Retry::Later)
    }

    /// Puts an email back into the queue because the shop is stopping. The attempt does not count.
    pub(crate) fn requeue_email(&self, job: &MailJob) -> rusqlite::Result<()> {
        self.update_job(job, "state = 'waiting', attempts = attempts - 1, last_error = ?", None)
    }

    fn update_job(&self, job: &MailJob, change: &str, error: Option<&str>) -> rusqlite::Result<()> {
        let update =
            format!("UPDATE mail_jobs SET {change} WHERE order_id = ? AND state = 'taken'");
        self.transact(|tx| tx.execute(&update, (error, job.order)).map(drop))
    }
}

/// Whether a failed email is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Yes, after a delay.
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
