//! The database: one SQLite file, one connection, and who may use it.
//!
//! What is kept of each matter lies in the file of that matter, as more methods of `Store`:
//! `mail_jobs.rs`, `payments.rs`, `stats.rs`.

mod open;

use std::fs::File;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};

use crate::orders::{NewOrder, Order};

/// The shop's books. Every change is on disk before the method that makes it returns.
#[derive(Debug)]
pub(crate) struct Store {
    /// SQLite has one writer at a time anyway. The lock is held for one transaction, never longer.
    connection: Mutex<Connection>,
    /// Held for as long as the process lives, however it ends: one shop per folder.
    _lock: File,
}

impl Store {
    /// Runs `work` in one transaction: all of it happens, or nothing.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        // A panic in there has rolled its transaction back: the connection is as good as before.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Writes an order into the books together with its mail job: never one without the other.
    pub(crate) fn place(&self, order: &NewOrder) -> rusqlite::Result<Order> {
        let NewOrder { customer, item, quantity } = order;
        self.transact(|books| {
            books.execute(
                "INSERT INTO orders (customer, item, quantity) VALUES (?, ?, ?)",
                (customer, item, quantity),
            )?;
            let id = books.last_insert_rowid();
            books.execute("INSERT INTO mail_jobs (order_id) VALUES (?)", [id])?;
            books.query_row(ORDER, [id], read_order)
        })
    }

    /// Looks an order up.
    pub(crate) fn order(&self, id: i64) -> rusqlite::Result<Option<Order>> {
        self.transact(|books| books.query_row(ORDER, [id], read_order).optional())
    }

    /// Tidies up what SQLite keeps about the data, to plan its queries well.
    pub(crate) fn optimize(&self) -> rusqlite::Result<()> {
        self.alone(|connection| connection.execute_batch("PRAGMA optimize"))
    }

    /// Brings what the log of changes (`shop.db-wal`) holds into `shop.db`, and empties the log.
    pub(crate) fn fold(&self) -> rusqlite::Result<()> {
        self.alone(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }

    /// Runs `work` where a transaction would be in its way.
    fn alone<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const ORDER: &str = "
    SELECT id, customer, item, quantity, placed_at, paid_at IS NOT NULL AS paid, state, attempts
    FROM orders JOIN mail_jobs ON order_id = id
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
        mail_attempts: row.get("attempts")?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
