//! The stream of server-sent events: one task looks at the services and tells all clients what has changed.

pub(crate) mod board;
pub(crate) mod client;
pub(crate) mod event_stream;
pub(crate) mod hub;
mod pace;
