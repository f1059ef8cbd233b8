//! [`WriteTransaction`]: a transaction of the engine.

use rusqlite::Connection;

/// A transaction that holds the write lock. It is rolled back when it is dropped, also in a panic, unless it was committed.
///
/// As `rusqlite::Transaction`, but its statements are compiled once for a connection, and not in each transaction: that is
/// more work than to execute them.
#[derive(Debug)]
pub(crate) struct WriteTransaction<'a> {
    connection: &'a Connection,
}

impl<'a> WriteTransaction<'a> {
    /// `connection` has no other transaction, which its exclusive reference shows.
    pub(crate) fn begin(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached("begin immediate")?.execute([])?;
        Ok(Self { connection })
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    pub(crate) fn commit(self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("commit")?.execute([]).map(drop)
    }
}

impl Drop for WriteTransaction<'_> {
    fn drop(&mut self) {
        // A commit, and some errors, have ended it already.
        if !self.connection.is_autocommit() {
            // If this fails, the connection cannot be used, which its next transaction says.
            let _ = self.connection.execute_batch("rollback");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn rows(connection: &Connection) -> i64 {
        connection.query_row("select count(*) from t", [], |row| row.get(0)).unwrap()
    }

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("create table t(n integer primary key)").unwrap();
        connection
    }

    fn insert(transaction: &WriteTransaction<'_>) {
        transaction.connection().execute("insert into t default values", []).unwrap();
    }

    #[test]
    fn rule_130_what_is_committed_is_there_and_the_rest_is_rolled_back() {
        let mut connection = table();
        let transaction = WriteTransaction::begin(&mut connection).unwrap();
        insert(&transaction);
        transaction.commit().unwrap();
        assert_eq!(rows(&connection), 1);
        insert(&WriteTransaction::begin(&mut connection).unwrap());
        assert_eq!((rows(&connection), connection.is_autocommit()), (1, true));
    }

    #[test]
    fn a_panic_rolls_it_back() {
        let mut connection = table();
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                let transaction = WriteTransaction::begin(&mut connection).unwrap();
                insert(&transaction);
                panic!("planted");
            });
            assert!(panics.join().is_err());
        });
        assert_eq!((rows(&connection), connection.is_autocommit()), (0, true));
    }

    /// A deferred constraint fails at the commit, which leaves the transaction open.
    #[test]
    fn a_commit_that_fails_is_rolled_back() {
        let mut connection = table();
        connection
            .execute_batch(
                "pragma foreign_keys = on;
                 create table u(n integer references t(n) deferrable initially deferred)",
            )
            .unwrap();
        let transaction = WriteTransaction::begin(&mut connection).unwrap();
        transaction.connection().execute("insert into u values (7)", []).unwrap();
        transaction.commit().unwrap_err();
        assert!(connection.is_autocommit());
        WriteTransaction::begin(&mut connection).unwrap().commit().unwrap();
    }
}
