//! The emails to send: a queue of jobs, and what has become of the email of each order.
//!
//! By default the queue is in the database of the shop, so that an order and its job are stored in one
//! transaction. A queue on a server has no part in that transaction. Then the order is marked instead, and the
//! service `mail_relay` pushes the job afterwards.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Row, Transaction};
use serde::{Deserialize, Serialize};
use tina4_service::{
    EngineError, PostgresEngine, Push, PushError, Queue, Queues, RedisEngine, SqliteEngine,
};

use crate::cli::Server;
use crate::store::{BoxError, Store};

/// The jobs of the service `email_consumer`.
pub(crate) const MAILS: Queue<Mail> = Queue::new("mails");

/// How long the queue remembers that an email was pushed.
const KEY_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// The email about an order: the payload of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// Identifies the email, too: an order has one.
    pub(crate) order: i64,
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// Opens the engine of the queue: on a server, or in the database of the shop.
pub(crate) fn open_queue(server: Option<&Server>, database: &Path) -> Result<Queues, EngineError> {
    Ok(match server {
        None => Queues::new(SqliteEngine::open(database)?),
        Some(Server::Postgres(address)) => Queues::new(PostgresEngine::open(address)?),
        Some(Server::Redis(address)) => Queues::new(RedisEngine::open(address)?),
    })
}

/// Whether a push can be a part of the shop's own transactions.
pub(crate) fn is_in_database(queues: &Queues) -> bool {
    queues.engine().name() == "sqlite"
}

/// Adds the email of a new order to a transaction.
pub(crate) fn add(tx: &mut Transaction<'_>, queues: &Queues, mail: &Mail) -> Result<(), BoxError> {
    let is_pushed = is_in_database(queues);
    if is_pushed {
        MAILS.on(queues).push_in(tx, mail, &Push::new())?;
    }
    let state = if is_pushed { "waiting" } else { "unpushed" };
    tx.execute("INSERT INTO mails (order_id, state) VALUES (?, ?)", (mail.order, state))?;
    Ok(())
}

/// Pushes an email that was stored without its job.
///
/// If the shop is killed before it notes that, it pushes the email again. The key makes that the same job.
pub(crate) fn push(queues: &Queues, mail: &Mail, key: &str) -> Result<(), PushError> {
    MAILS.on(queues).push_with(mail, &Push::new().unique_for(key, KEY_WINDOW)).map(drop)
}

impl Store {
    /// Some emails that were stored without a job, the oldest first, each with its key. The keys are random: a new
    /// database begins with order 1 again, whose job must not be taken for an older one.
    pub(crate) fn unpushed_mails(&self) -> rusqlite::Result<Vec<(Mail, String)>> {
        let query =
            "SELECT id, customer, item, quantity, key FROM orders JOIN mails ON order_id = id
                     WHERE state = 'unpushed' ORDER BY id LIMIT 100";
        let read = |row: &Row<'_>| Ok((read_mail(row)?, row.get("key")?));
        self.transact(|tx| tx.prepare(query)?.query_map((), read)?.collect())
    }

    /// Notes that an email has a job, unless the job is done already.
    pub(crate) fn mail_pushed(&self, order: i64) -> rusqlite::Result<()> {
        self.update_mail("state = 'waiting' WHERE order_id = ? AND state = 'unpushed'", order)
    }

    /// Notes that an email was sent.
    pub(crate) fn mail_sent(&self, order: i64) -> rusqlite::Result<()> {
        self.update_mail("state = 'sent' WHERE order_id = ?", order)
    }

    /// Notes that nobody tries to send an email any more, unless it was sent and only its job did not end.
    pub(crate) fn mail_died(&self, order: i64) -> rusqlite::Result<()> {
        self.update_mail("state = 'dead' WHERE order_id = ? AND state <> 'sent'", order)
    }

    /// Notes that an email that was dead is tried again, unless it was sent meanwhile.
    pub(crate) fn mail_redriven(&self, order: i64) -> rusqlite::Result<()> {
        self.update_mail("state = 'waiting' WHERE order_id = ? AND state = 'dead'", order)
    }

    fn update_mail(&self, change: &str, order: i64) -> rusqlite::Result<()> {
        self.transact(|tx| tx.execute(&format!("UPDATE mails SET {change}"), [order]).map(drop))
    }
}

fn read_mail(row: &Row<'_>) -> rusqlite::Result<Mail> {
    Ok(Mail {
        order: row.get("id")?,
        customer: row.get("customer")?,
        item: row.get("item")?,
        quantity: row.get("quantity")?,
    })
}

#[cfg(test)]
mod tests;
