//! [`Messages`]: hears of jobs that other processes have pushed, with `SUBSCRIBE`.

use std::time::Duration;

use redis::{PubSub, RedisError, cmd};
use tina4_service_queue::engine_parts::{Interruption, NotificationSource, Watchers};

use crate::connector::Connector;
use crate::error::is_answer;

/// How often the thread looks whether it should end.
const LOOK: Duration = Duration::from_secs(1);

/// For how many looks without a message a connection is taken to be alive.
const LOOKS: u32 = 30;

/// The messages of a channel.
pub(crate) struct Messages {
    pub(crate) connector: Connector,
    pub(crate) channel: String,
}

impl NotificationSource for Messages {
    fn listen(&mut self, watchers: &Watchers) -> Interruption {
        match self.try_listen(watchers) {
            Ok(()) => Interruption::Lost,
            Err(interruption) => interruption.0,
        }
    }
}

/// Why the connection is not used any more.
struct Ended(Interruption);

impl From<RedisError> for Ended {
    fn from(_: RedisError) -> Self {
        Self(Interruption::Lost)
    }
}

impl Messages {
    /// Listens until the watchers are closed.
    fn try_listen(&self, watchers: &Watchers) -> Result<(), Ended> {
        let mut connection = self.connector.connect_to_subscribe(self.connector.timeout)?;
        // Not `PubSub::subscribe`, which succeeds if the server refuses.
        let subscribed = cmd("SUBSCRIBE").arg(&self.channel).exec(&mut connection);
        subscribed.map_err(|error| {
            Ended(if is_answer(&error) { Interruption::Deaf } else { Interruption::Lost })
        })?;
        let mut messages = connection.as_pubsub();
        messages.set_read_timeout(Some(LOOK))?;
        watchers.hear();
        let mut silent = 0;
        while !watchers.is_closed() {
            silent = if look(&mut messages, watchers)? { 0 } else { silent + 1 };
            if silent >= LOOKS {
                messages.set_read_timeout(Some(self.connector.timeout))?;
                messages.ping::<redis::Value>()?;
                messages.set_read_timeout(Some(LOOK))?;
                silent = 0;
            }
        }
        Ok(())
    }
}

/// Passes one message on. Returns `false` if none has come for a while.
fn look(messages: &mut PubSub<'_>, watchers: &Watchers) -> Result<bool, RedisError> {
    match messages.get_message() {
        Ok(message) => {
            // A name of a queue is ASCII.
            if let Ok(queue) = std::str::from_utf8(message.get_payload_bytes()) {
                watchers.wake(queue);
            }
            Ok(true)
        }
        Err(error) if error.is_timeout() => Ok(false),
        Err(error) => Err(error),
    }
}
