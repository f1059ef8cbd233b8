//! Sends the emails in the queue.

use tina4_service::{Context, DeadJob, Flow, Job, Queues, Res, service};

use super::database::database_sync;
use crate::mails::{self, MAILS, Mail};
use crate::outbox::{Outbox, Sent};
use crate::store::{BoxError, Store};

/// Sends one email; up to four at once.
///
/// If that fails, it is tried again after about 2, 4, 8 and 16 s. Then the job is dead: it is kept with its error for
/// 30 days, in which somebody may put it back. The queue is rarely looked at, because the web server and the relay wake the consumer.
#[service(
    queue = MAILS, poll = "5s", attempts = 5, concurrency = 4, on_dead = email_died, after = [database_sync]
)]
pub(super) fn email_consumer(
    ctx: &Context,
    job: Job<Mail>,
    store: Res<Store>,
    outbox: Res<Outbox>,
) -> Result<(), BoxError> {
    if !ctx.sleep(outbox.send_time) {
        // The shop stops. The email is sent after the next start, and this attempt does not count.
        job.release()?;
        return Ok(());
    }
    let sent_before = outbox.send(&job)? == Sent::Earlier;
    store.mail_sent(job.order)?;
    tracing::info!(order = job.order, attempt = job.attempt(), sent_before, "email sent");
    Ok(())
}

/// Shows in the order that its email was not sent.
fn email_died(dead: DeadJob, store: Res<Store>) -> Result<(), BoxError> {
    let mail: Mail = serde_json::from_str(&dead.payload)?;
    store.mail_died(mail.order)?;
    tracing::error!(
        order = mail.order,
        error = dead.error,
        "email abandoned after the last attempt"
    );
    Ok(())
}

/// Pushes the emails of new orders to a queue on a server. If the queue is in the database, there is nothing to do:
/// they were pushed with their orders, except by a shop that used a server.
#[service(delay = "500ms", after = [database_sync])]
fn mail_relay(store: Res<Store>, queues: Res<Queues>) -> Result<Flow, BoxError> {
    let unpushed = store.unpushed_mails()?;
    for (mail, key) in &unpushed {
        mails::push(&queues, mail, key)?;
        store.mail_pushed(mail.order)?;
    }
    Ok(match unpushed.len() {
        0 if mails::is_in_database(&queues) => Flow::Done,
        0 => Flow::Wait,
        _ => Flow::Again,
    })
}

#[cfg(test)]
mod tests;
