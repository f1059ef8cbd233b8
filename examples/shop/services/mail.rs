//! Sends the emails in the queue.

use tina4_service::{Context, Flow, Res, service};

use super::database::database_sync;
use crate::mail_jobs::{MailJob, Retry};
use crate::outbox::{Outbox, Sent};
use crate::store::Store;

/// Sends one email, and runs again immediately while there are more. If there are none, it polls
/// again after 2 s, or as soon as an order arrives, because the HTTP server then requests a run.
///
/// An email that cannot be sent is not a crash: the failure is recorded in its job. An unusable
/// database is a crash.
#[service(delay = "2s", after = [database_sync])]
pub(super) fn email_consumer(
    ctx: &Context,
    store: Res<Store>,
    outbox: Res<Outbox>,
) -> rusqlite::Result<Flow> {
    let Some(job) = store.take_email()? else {
        return Ok(Flow::Wait);
    };
    if !ctx.sleep(outbox.send_time) {
        store.requeue_email(&job)?;
        return Ok(Flow::Wait);
    }
    let MailJob { order, attempt, .. } = job;
    match outbox.send(&job) {
        Ok(sent) => {
            store.email_sent(&job)?;
            let sent_before = sent == Sent::Earlier;
            tracing::info!(order, attempt, sent_before, "email sent");
        }
        Err(error) => {
            let retry = store.email_failed(&job, &error.to_string())?;
            match retry {
                Retry::Later => {
                    tracing::warn!(order, attempt, %error, "email not sent; will retry")
                }
                Retry::Never => {
                    tracing::error!(order, attempt, %error, "email abandoned after the last attempt")
                }
            }
        }
    }
    Ok(Flow::Again)
}

#[cfg(test)]
mod tests;
