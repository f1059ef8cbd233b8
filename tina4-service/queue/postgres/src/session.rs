//! [`Session`]: a connection that is made again when it is lost.

use std::mem;
use std::time::{Duration, Instant};

use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::pause_after;
use tokio_postgres::{Client, Error};

use crate::clock;
use crate::connector::Connector;
use crate::error::{failed_with, is_locked, is_of_statement, no_answer, text, unchanged_with};
use crate::link::Link;
use crate::waits::{Closing, Ended, Waits};

/// How long to wait until the server has been told that a connection ends.
const FAREWELL: Duration = Duration::from_millis(200);

/// How long the check of an idle connection may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The connection of one thread of the engine.
pub(crate) struct Session {
    connector: Connector,
    /// What the thread waits with: from the first call on.
    waits: Option<Waits>,
    closing: Closing,
    link: Option<Link>,
    /// When the trip in progress is over.
    deadline: Instant,
    /// Attempts to connect that failed since the last one that did not.
    failures: u32,
    /// Whether the connection was not used for a while, and may have been lost unnoticed.
    is_idle: bool,
}

/// Why a call of the server failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whether the server refused a statement. Nothing was changed then, and others may succeed.
    pub(crate) is_of_statement: bool,
    /// Whether that was because of a lock.
    pub(crate) is_locked: bool,
    /// Whether the server was not asked.
    is_unsent: bool,
    text: String,
}

impl Failure {
    pub(crate) fn new(error: &Error) -> Self {
        Self {
            is_of_statement: is_of_statement(error),
            is_locked: is_locked(error),
            is_unsent: false,
            text: text(error),
        }
    }

    fn of_connection(text: impl Into<String>) -> Self {
        Self { is_of_statement: false, is_locked: false, is_unsent: false, text: text.into() }
    }

    fn of_wait(ended: Ended, timeout: Duration) -> Self {
        Self::of_connection(match ended {
            Ended::TimedOut => no_answer(timeout),
            Ended::Closed => "the engine was dropped".to_owned(),
        })
    }

    fn before_the_call(self) -> Self {
        Self { is_unsent: true, ..self }
    }

    /// Whether nothing was changed. Otherwise it is not known.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.is_of_statement || self.is_unsent
    }

    /// The error of a caller.
    pub(crate) fn error(&self) -> EngineError {
        if self.is_unchanged() { unchanged_with(&*self.text) } else { failed_with(&*self.text) }
    }
}

impl Session {
    pub(crate) fn new(connector: Connector, closing: Closing) -> Self {
        Self {
            connector,
            waits: None,
            closing,
            link: None,
            deadline: clock::now(),
            failures: 0,
            is_idle: false,
        }
    }

    /// Notes that the connection was not used for a while.
    pub(crate) fn was_idle(&mut self) {
        self.is_idle = true;
    }

    /// Begins a trip: all calls until the next one have one deadline.
    pub(crate) fn begin_trip(&mut self) {
        self.deadline = clock::later(self.connector.timeout);
    }

    /// Begins a trip with another time.
    pub(crate) fn begin_trip_of(&mut self, time: Duration) {
        self.deadline = clock::later(time);
    }

    /// Makes the trip end earlier.
    pub(crate) fn limit_trip(&mut self, time: Duration) {
        self.deadline = self.deadline.min(clock::later(time));
    }

    /// Calls the server, after connecting to it if necessary.
    ///
    /// A connection that was lost while it was idle is replaced. If it is lost during the call, that is an error,
    /// because the server may have done what it was asked.
    pub(crate) fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Client) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let mut link = self.take_link().map_err(Failure::before_the_call)?;
        let result = self.wait(link.call(call))?;
        self.put_back(link, result)
    }

    /// Keeps the connection after a call that leaves it in order.
    fn put_back<T>(&mut self, link: Link, result: Result<T, Error>) -> Result<T, Failure> {
        match result {
            Ok(value) => {
                self.link = Some(link);
                Ok(value)
            }
            Err(error) => {
                let mut failure = Failure::new(&error);
                failure.is_of_statement &= !link.is_closed();
                if failure.is_of_statement {
                    self.link = Some(link);
                }
                Err(failure)
            }
        }
    }

    /// Calls the server for something that changes nothing. An idle connection is not checked before, because the call can
    /// be made again on a new one: an idle program makes one request instead of two.
    pub(crate) fn read<T>(
        &mut self,
        call: impl AsyncFn(&mut Client) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        if self.is_idle
            && let Some(mut link) = self.link.take()
            && !link.is_closed()
        {
            self.is_idle = false;
            match self.wait_at_most(CHECK_TIMEOUT, link.call(&call)) {
                Ok(result) if result.as_ref().map_or_else(is_of_statement, |_| true) => {
                    return self.put_back(link, result);
                }
                Err(failure) if self.closing.is_closed() => return Err(failure),
                // The connection was lost.
                Ok(_) | Err(_) => {}
            }
        }
        self.call(call)
    }

    /// The next notification of the connection that the last call has left; `None` if there was none until the end
    /// of the trip.
    pub(crate) fn notification(&mut self) -> Result<Option<String>, Failure> {
        let closed = || Failure::of_connection("the connection was closed");
        let mut link = self.link.take().ok_or_else(closed)?;
        let waits = self.waits.as_ref().ok_or_else(closed)?;
        let coming = match waits.wait(self.deadline, link.notification()) {
            Ok(coming) => coming,
            Err(Ended::TimedOut) => {
                self.link = Some(link);
                return Ok(None);
            }
            Err(Ended::Closed) => return Err(closed()),
        };
        let coming = coming.map_err(|error| Failure::new(&error))?.ok_or_else(closed)?;
        self.link = Some(link);
        Ok(Some(coming.payload().to_owned()))
    }

    /// The connection, which is put back after a call that leaves it in order.
    fn take_link(&mut self) -> Result<Link, Failure> {
        let is_idle = mem::take(&mut self.is_idle);
        if let Some(mut link) = self.link.take()
            && !link.is_closed()
            && (!is_idle || self.answers(&mut link)?)
        {
            return Ok(link);
        }
        match self.connect() {
            Ok(link) => {
                self.failures = 0;
                Ok(link)
            }
            Err(failure) => {
                self.failures = self.failures.saturating_add(1);
                Err(failure)
            }
        }
    }

    /// Whether a connection that was idle still works. Not for the whole trip, so that there is time to connect: the
    /// system may not know for a long time that the connection is gone.
    fn answers(&mut self, link: &mut Link) -> Result<bool, Failure> {
        let check = link.call(async |client| client.check_connection().await);
        match self.wait_at_most(CHECK_TIMEOUT, check) {
            Ok(checked) => Ok(checked.is_ok()),
            Err(failure) if self.closing.is_closed() => Err(failure),
            Err(_) => Ok(false),
        }
    }

    fn connect(&mut self) -> Result<Link, Failure> {
        let connecting = self.connector.connect();
        self.wait(connecting)?.map_err(|error| Failure::of_connection(text(&error)))
    }

    fn wait<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Failure> {
        let waits = match self.waits.take() {
            Some(waits) => waits,
            None => Waits::new(self.closing.clone()).map_err(|error| {
                Failure::of_connection(format!("its thread cannot wait for the server: {error}"))
            })?,
        };
        let waits = self.waits.insert(waits);
        let ended = waits.wait(self.deadline, future);
        ended.map_err(|ended| Failure::of_wait(ended, self.connector.timeout))
    }

    /// Waits for a part of the trip.
    fn wait_at_most<T>(
        &mut self,
        time: Duration,
        future: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let end_of_trip = self.deadline;
        self.deadline = end_of_trip.min(clock::later(time));
        let result = self.wait(future);
        self.deadline = end_of_trip;
        result
    }

    /// How long to wait before the next attempt to connect; `None` if the last one succeeded.
    pub(crate) fn pause(&self) -> Option<Duration> {
        (self.failures > 0).then(|| pause_after(self.failures))
    }
}

/// Closes the connection.
impl Drop for Session {
    fn drop(&mut self) {
        if let (Some(waits), Some(link)) = (&self.waits, self.link.take()) {
            waits.finish(clock::later(FAREWELL), link.close());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_an_error_and_a_pause() {
        let connector = Connector::parse("postgres://nobody@127.0.0.1:1/none").unwrap();
        let mut session = Session::new(connector, Closing::default());
        assert_eq!(session.pause(), None);
        session.begin_trip();
        let failure =
            session.call(async |client| client.batch_execute("select 1").await).unwrap_err();
        assert!(!failure.is_of_statement);
        let text = failure.error().to_string();
        assert!(
            text.starts_with("the engine `postgres` failed: error connecting to server: "),
            "{text}"
        );
        assert_eq!(session.pause(), Some(pause_after(1)));
    }
}
