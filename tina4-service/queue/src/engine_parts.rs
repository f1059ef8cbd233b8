//! What engines have in common whose store is shared by processes: for their authors.

mod fingerprint;
mod listener;
mod owner;
mod pauses;
mod threads;
mod unreceived;

pub use self::fingerprint::fingerprint;
pub use self::listener::{Hearing, Interruption, Listener, NotificationSource, Wake, Watchers};
pub use self::owner::Owner;
pub use self::pauses::{pause_after, rounded};
pub use self::threads::spawn;
pub use self::unreceived::Unreceived;
