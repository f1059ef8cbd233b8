//! HTTP/1.1 on threads of the standard library, for programs without a server of their own.
//!
//! `RequestParser` turns bytes into requests and `response` turns answers into bytes, both without IO. `connection` reads
//! and writes on one thread for each client, with a limit for everything that a client can make it wait for, and `server`
//! accepts the clients and ends them all when its service is asked to stop.

pub(crate) mod connection;
mod connections;
mod deadline;
pub(crate) mod limits;
pub(crate) mod listener;
pub(crate) mod parser;
pub(crate) mod refusal;
pub(crate) mod response;
pub(crate) mod server;
mod stream;
