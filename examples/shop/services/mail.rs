//! The postman.

use tina4_service::{Context, Flow, Res, service};

use super::database::database_sync;
use crate::mail_jobs::{MailJob, Retry};
use crate::outbox::{Outbox, Sent};
use crate::store::Store;

/// Sends one mail, and comes back at once while there are more. When there are none it looks again
/// after 2 s, or as soon as an order comes: the HTTP server asks for a run then.
///
/// A mail that cannot be sent is no crash: its job remembers that. A database that cannot be used
/// is one.
#[service(delay = "2s", after = [database_sync])]
pub(super) fn email_consumer(
    ctx: &Context,
    store: Res<Store>,
    outbox: Res<Outbox>,
) -> rusqlite::Result<Flow> {
    let Some(job) = store.take_mail()? else {
        return Ok(Flow::Wait);
    };
    if !ctx.sleep(outbox.takes) {
        store.mail_put_back(&job)?;
        return Ok(Flow::Wait);
    }
    let MailJob { order, attempt, .. } = job;
    match outbox.send(&job) {
        Ok(sent) => {
            store.mail_sent(&job)?;
            let again = sent == Sent::Earlier;
            tracing::info!(order, attempt, sent_before = again, "mail sent");
        }
        Err(error) => {
            let retry = store.mail_failed(&job, &error.to_string())?;
            match retry {
                Retry::Later => tracing::warn!(order, attempt, %error, "mail not sent; later"),
                Retry::Never => tracing::error!(order, attempt, %error, "mail given up"),
            }
        }
    }
    Ok(Flow::Again)
}

#[cfg(test)]
mod tests;
