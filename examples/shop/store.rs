//! The database: one SQLite file with one connection.
//!
//! `mails.rs`, `payments.rs` and `stats.rs` add the methods of `Store` for their subjects.

mod open;

use std::error::Error;
use std::fs::File;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};

use tina4_service::Queues;

pub(crate) use self::open::database;
use crate::mails::{self, Mail};
use crate::orders::{NewOrder, Order};

/// Any error of a transaction or a service.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The shop's database. Every change is on disk before the method that makes it returns.
#[derive(Debug)]
pub(crate) struct Store {
    /// The lock is held for one transaction at a time; SQLite has only one writer anyway.
    connection: Mutex<Connection>,
    /// Held until the process ends, however it ends: one shop per directory.
    _lock: File,
}

impl Store {
    /// Runs `work` in a transaction: all of it takes effect, or nothing.
    pub(crate) fn transact<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // A panic in `work` rolls its transaction back, so the connection remains usable.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&mut transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Stores an order together with its email, never one without the other.
    pub(crate) fn place(&self, order: NewOrder, queues: &Queues) -> Result<Order, BoxError> {
        let NewOrder { customer, item, quantity } = order;
        self.transact(|tx| {
            tx.execute(
                "INSERT INTO orders (customer, item, quantity) VALUES (?, ?, ?)",
                (&customer, &item, quantity),
            )?;
            let id = tx.last_insert_rowid();
            mails::add(tx, queues, &Mail { order: id, customer, item, quantity })?;
            Ok(tx.query_row(ORDER, [id], read_order)?)
        })
    }

    /// Finds an order.
    pub(crate) fn order(&self, id: i64) -> rusqlite::Result<Option<Order>> {
        self.transact(|tx| tx.query_row(ORDER, [id], read_order).optional())
    }

    /// Updates the statistics that SQLite's query planner uses.
    pub(crate) fn optimize(&self) -> rusqlite::Result<()> {
        self.with_connection(|connection| connection.execute_batch("PRAGMA optimize"))
    }

    /// Moves the contents of the write-ahead log (`shop.db-wal`) into `shop.db`, and truncates the
    /// log.
    pub(crate) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.with_connection(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }

    /// Runs `work` outside of a transaction.
    fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const ORDER: &str = "
    SELECT id, customer, item, quantity, placed_at, paid_at IS NOT NULL AS paid, state
    FROM orders JOIN mails ON order_id = id
    WHERE id = ?";

fn read_order(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        id: row.get("id")?,
        customer: row.get("customer")?,
        item: row.get("item")?,
        quantity: row.get("quantity")?,
        placed_at: row.get("placed_at")?,
        paid: row.get("paid")?,
        mail: row.get("state")?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
