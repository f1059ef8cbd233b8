//! A console for the services of a program: see and steer them over HTTP.
//!
//! The core is a function from a [`Request`] to an [`Answer`], [`Console::answer`]. It opens no socket and knows no
//! framework; front ends translate between it and the world.
#![deny(unsafe_code)]

mod access;
mod action;
mod answer;
mod console;
mod event_stream;
#[cfg(any(feature = "probes", feature = "serve", all(unix, feature = "socket")))]
mod front_end;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(any(feature = "probes", feature = "serve", all(unix, feature = "socket")))]
mod http;
mod peer;
#[cfg(feature = "probes")]
mod probes;
mod request;
#[cfg(feature = "serve")]
mod serve;
#[cfg(all(unix, feature = "socket"))]
mod socket;

pub use access::{Access, Grant};
pub use action::Action;
pub use answer::{Answer, Body};
pub use console::{Console, TokenError};
pub use event_stream::EventStream;
pub use peer::{Peer, UnixPeer};
#[cfg(feature = "probes")]
pub use probes::probes;
pub use request::Request;
#[cfg(feature = "serve")]
pub use serve::serve;
#[cfg(all(unix, feature = "socket"))]
pub use socket::{Socket, SocketError, socket};
