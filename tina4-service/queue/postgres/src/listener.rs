//! [`Notifications`]: hears of jobs that other processes have pushed, with `listen`.

use std::time::Duration;

use tina4_service_queue::engine_parts::{Interruption, NotificationSource, Watchers};
use tokio_postgres::types::Type;

use crate::connector::Connector;
use crate::session::{Failure, Session};
use crate::waits::Closing;

/// The channel, of which the payload is the name of a queue.
const CHANNEL: &str = "tina4";

/// How often the thread looks whether it should end.
const LOOK: Duration = Duration::from_secs(1);

/// For how many looks without a notification a connection is taken to be alive.
const LOOKS: u32 = 30;

/// For how many looks it waits for its own notification.
const PROBE_LOOKS: u32 = 5;

/// The notifications of a database.
pub(crate) struct Notifications {
    /// The connection that listens; it must not go through a pooler in transaction mode.
    pub(crate) direct: Connector,
    /// A connection as those that push have.
    pub(crate) usual: Connector,
    pub(crate) owner: String,
}

impl NotificationSource for Notifications {
    fn listen(&mut self, watchers: &Watchers) -> Interruption {
        match self.try_listen(watchers) {
            Ok(interruption) => interruption,
            Err(_) => Interruption::Lost,
        }
    }
}

impl Notifications {
    fn try_listen(&self, watchers: &Watchers) -> Result<Interruption, Failure> {
        let mut session = Session::new(self.direct.clone(), Closing::default());
        session.begin_trip();
        session.call(async |client| client.batch_execute("listen tina4").await)?;
        // Behind a pooler in transaction mode, `listen` succeeds and nothing ever comes.
        let probe = format!("?{}", self.owner);
        let mut usual = Session::new(self.usual.clone(), Closing::default());
        usual.begin_trip();
        usual.call(async |client| {
            let values = [(&CHANNEL as _, Type::TEXT), (&probe as _, Type::TEXT)];
            client.query_typed("select pg_notify($1, $2)", &values).await
        })?;
        drop(usual);
        let mut is_heard = false;
        for _ in 0..PROBE_LOOKS {
            is_heard = look(&mut session, watchers, Some(&probe))?;
            if is_heard || watchers.is_closed() {
                break;
            }
        }
        if !is_heard {
            // The server's connection goes back to the pooler, and should not listen for others.
            session.begin_trip();
            session.call(async |client| client.batch_execute("unlisten tina4").await)?;
            return Ok(Interruption::Deaf);
        }
        watchers.hear();
        let mut silent = 0;
        while !watchers.is_closed() {
            silent = if look(&mut session, watchers, None)? { 0 } else { silent + 1 };
            if silent >= LOOKS {
                session.begin_trip();
                session.call(async |client| client.check_connection().await)?;
                silent = 0;
            }
        }
        Ok(Interruption::Lost)
    }
}

/// Passes notifications on until none has come for a while, or `probe` comes. Returns whether `probe` came,
/// or any if there is none.
fn look(session: &mut Session, watchers: &Watchers, probe: Option<&str>) -> Result<bool, Failure> {
    let mut has_come = false;
    loop {
        session.begin_trip_of(LOOK);
        let Some(queue) = session.notification()? else { return Ok(has_come) };
        if probe == Some(&*queue) {
            return Ok(true);
        }
        // Probes of others are no names of queues.
        if !queue.starts_with('?') {
            watchers.wake(&queue);
            has_come = probe.is_none();
        }
        if watchers.is_closed() {
            return Ok(has_come);
        }
    }
}
