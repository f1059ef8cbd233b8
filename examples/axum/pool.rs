//! A small pool of database connections for async functions.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio::task;

/// Connections to one database in memory. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

/// Why a query has no result.
pub(crate) type PoolError = Box<dyn std::error::Error + Send + Sync>;

impl Pool {
    /// Opens this many connections.
    pub(crate) fn open(connections: usize) -> rusqlite::Result<Self> {
        let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_SHARED_CACHE;
        let open = |_| Connection::open_with_flags("file:shop?mode=memory", flags);
        let idle = (0..connections).map(open).collect::<rusqlite::Result<_>>()?;
        let permits = Semaphore::new(connections);
        Ok(Self(Arc::new(Inner { idle: Mutex::new(idle), permits })))
    }

    /// Calls `query` with a connection, on a thread that may block.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PoolError> {
        let inner = Arc::clone(&self.0);
        let _permit = inner.permits.acquire().await?;
        let pool = Arc::clone(&self.0);
        let result = task::spawn_blocking(move || {
            let idle = || pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = idle().pop().ok_or("there is a connection for every permit")?;
            let result = query(&connection);
            idle().push(connection);
            Ok::<_, PoolError>(result?)
        });
        result.await?
    }
}
