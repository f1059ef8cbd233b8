//! [`Session`]: a connection that is made again when it is lost.

use std::time::{Duration, Instant};

use redis::{RedisError, Value, cmd};
use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::pause_after;

use crate::clock;
use crate::connection::Connection;
use crate::connector::Connector;
use crate::error::{failed_with, is_answer, no_answer, text, unchanged_with};
use crate::keys::{Copies, Keys};
use crate::script::{Script, is_unknown};

/// After how long without a request a connection is checked before it is used.
const IDLE: Duration = Duration::from_millis(50);

/// How long that check may take. Not the whole trip, so that there is time to connect: the system may not know for a
/// long time that the connection is gone.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection of the engine.
pub(crate) struct Session {
    connector: Connector,
    keys: Keys,
    connection: Option<Connection>,
    last_used: Instant,
    /// When the trip in progress is over.
    deadline: Instant,
    /// How long it may take.
    limit: Duration,
    /// Attempts to connect that failed since the last one that did not.
    failures: u32,
    /// When the next attempt may be made.
    retry_at: Instant,
}

/// Why a call of the server failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whether the server refused the call. Nothing was changed then.
    pub(crate) is_refused: bool,
    /// Whether the server was not asked.
    is_unsent: bool,
    text: String,
}

impl Failure {
    fn before_the_call(self) -> Self {
        Self { is_unsent: true, ..self }
    }

    /// Whether nothing was changed. Otherwise it is not known.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.is_refused || self.is_unsent
    }

    /// The error of a caller.
    pub(crate) fn error(&self) -> EngineError {
        if self.is_unchanged() { unchanged_with(&*self.text) } else { failed_with(&*self.text) }
    }
}

impl Session {
    pub(crate) fn new(connector: Connector, keys: Keys) -> Self {
        let now = clock::now();
        Self {
            connector,
            keys,
            connection: None,
            last_used: now,
            deadline: now,
            limit: Duration::ZERO,
            failures: 0,
            retry_at: now,
        }
    }

    /// How long a trip may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.connector.timeout
    }

    /// Begins a trip that takes no longer than this: all requests until the next one share a deadline.
    pub(crate) fn begin_trip_of(&mut self, limit: Duration) {
        self.limit = limit.min(self.connector.timeout);
        self.deadline = clock::later(self.limit);
    }

    /// Makes the trip end earlier.
    pub(crate) fn limit_trip(&mut self, time: Duration) {
        self.deadline = self.deadline.min(clock::later(time));
    }

    /// Runs a script. Its text is sent only if the server does not know it, as after a restart.
    pub(crate) fn run(&mut self, script: &Script, arguments: &[&str]) -> Result<Value, Failure> {
        self.run_with(script, Copies::Untouched, arguments)
    }

    /// Runs a script that may have to do with copies of done jobs.
    pub(crate) fn run_with(
        &mut self,
        script: &Script,
        copies: Copies,
        arguments: &[&str],
    ) -> Result<Value, Failure> {
        let result = self.call(|connection, keys| {
            let value = script.run_known(connection, keys.of_script(copies), arguments);
            value.map(Some).or_else(|error| if is_unknown(&error) { Ok(None) } else { Err(error) })
        });
        match result? {
            Some(value) => Ok(value),
            None => self
                .call(|connection, keys| script.run(connection, keys.of_script(copies), arguments)),
        }
    }

    /// Runs a script that changes nothing. An idle connection is not checked before, because the script can run again on
    /// a new one: an idle program makes one request instead of two.
    pub(crate) fn read(&mut self, script: &Script, arguments: &[&str]) -> Result<Value, Failure> {
        if self.is_idle()
            && let Some(mut connection) = self.connection.take()
        {
            self.limit(&mut connection, CHECK_TIMEOUT)?;
            let keys = self.keys.of_script(Copies::Untouched);
            let result = script.run_known(&mut connection, keys, arguments);
            self.last_used = clock::now();
            if result.as_ref().map_or_else(is_unknown, |_| true) {
                self.connection = Some(connection);
            }
            if let Ok(value) = result {
                return Ok(value);
            }
        }
        self.run(script, arguments)
    }

    /// Calls the server, after connecting to it if necessary.
    ///
    /// A connection that was lost while it was idle is replaced. If it is lost during the call, that is an error,
    /// because the server may have done what it was asked.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&mut Connection, &Keys) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        let ready = self.take_connection().and_then(|mut connection| {
            self.limit(&mut connection, Duration::MAX)?;
            Ok(connection)
        });
        let mut connection = ready.map_err(Failure::before_the_call)?;
        let result = call(&mut connection, &self.keys);
        self.last_used = clock::now();
        match result {
            Ok(value) => {
                self.connection = Some(connection);
                Ok(value)
            }
            Err(error) => {
                let is_refused = is_answer(&error);
                if is_refused && !is_of_server(&error) {
                    self.connection = Some(connection);
                }
                Err(self.failure(&error))
            }
        }
    }

    /// Limits each wait for the server to the rest of the trip, or to less.
    fn limit(&self, connection: &mut Connection, most: Duration) -> Result<(), Failure> {
        let limited = self.left().map(|left| connection.limit(left.min(most)));
        match limited {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.failure(&error)),
            None => Err(self.timed_out()),
        }
    }

    /// The remaining time of the trip.
    fn left(&self) -> Option<Duration> {
        self.deadline.checked_duration_since(clock::now()).filter(|left| !left.is_zero())
    }

    fn failure(&self, error: &RedisError) -> Failure {
        if error.is_timeout() {
            return self.timed_out();
        }
        Failure { is_refused: is_answer(error), is_unsent: false, text: text(error) }
    }

    fn timed_out(&self) -> Failure {
        Failure { is_refused: false, is_unsent: false, text: no_answer(self.limit) }
    }

    /// Whether the connection was not used for a while, and may have been lost unnoticed.
    fn is_idle(&self) -> bool {
        clock::now().saturating_duration_since(self.last_used) >= IDLE
    }

    /// The connection, which is put back after a call that leaves it in order.
    fn take_connection(&mut self) -> Result<Connection, Failure> {
        if let Some(mut connection) = self.connection.take() {
            let is_idle = self.is_idle();
            if is_idle {
                self.limit(&mut connection, CHECK_TIMEOUT)?;
            }
            if !is_idle || cmd("PING").exec(&mut connection).is_ok() {
                return Ok(connection);
            }
        }
        clock::pause_until(self.retry_at.min(self.deadline));
        let left = self.left().ok_or_else(|| self.timed_out())?;
        match self.connector.connect(left) {
            Ok(connection) => {
                self.failures = 0;
                Ok(connection)
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.retry_at = clock::now() + pause_after(self.failures);
                Err(Failure { is_refused: false, ..self.failure(&error) })
            }
        }
    }
}

/// Whether the server cannot be used, although it answers: another one may be there after a new connection.
fn is_of_server(error: &RedisError) -> bool {
    matches!(error.code(), Some("READONLY" | "LOADING" | "MASTERDOWN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_an_error_and_a_pause() {
        let connector = Connector::parse("redis://127.0.0.1:1/").unwrap();
        let mut session = Session::new(connector, Keys::new("none", "owner"));
        session.begin_trip_of(Duration::MAX);
        let failure = session.call(|connection, _| cmd("PING").exec(connection)).unwrap_err();
        assert!(!failure.is_refused);
        let text = failure.error().to_string();
        assert!(text.starts_with("the engine `redis` failed: "), "{text}");
        let start = clock::now();
        assert!(session.call(|connection, _| cmd("PING").exec(connection)).is_err());
        assert!(clock::now() - start >= Duration::from_millis(40), "the second attempt waits");
    }
}
