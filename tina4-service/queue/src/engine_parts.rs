//! What engines have in common whose store is shared by processes: for their authors.

mod awaited_turns;
mod fingerprint;
mod listener;
mod owner;
mod pages;
mod pauses;
mod threads;
mod unreceived;

pub use self::awaited_turns::{AwaitedTurns, GivingBack};
pub use self::fingerprint::fingerprint;
pub use self::listener::{Hearing, Interruption, Listener, NotificationSource, Wake, Watchers};
pub use self::owner::Owner;
pub use self::pages::each_page;
pub use self::pauses::{pause_after, rounded};
pub use self::threads::spawn;
pub use self::unreceived::Unreceived;
