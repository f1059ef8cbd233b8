//! What engines have in common whose store is shared by processes: for their authors.

mod listener;
mod owner;
mod pauses;
mod threads;

pub use self::listener::{Hearing, Interruption, Listener, NotificationSource, Wake, Watchers};
pub use self::owner::Owner;
pub use self::pauses::pause_after;
pub use self::threads::spawn;
