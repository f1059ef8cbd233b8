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
mod peer;
mod request;

pub use access::{Access, Grant};
pub use action::Action;
pub use answer::{Answer, Body};
pub use console::{Console, TokenError};
pub use event_stream::EventStream;
pub use peer::{Peer, UnixPeer};
pub use request::Request;
