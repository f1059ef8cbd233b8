//! What the services of all front ends have in common.

use std::error::Error;
use std::sync::Arc;

use tina4_service::Context;

use crate::answer::Answer;
use crate::console::Console;
use crate::http::connection::Handler;
use crate::http::limits::Limits;
use crate::http::listener::Listener;
use crate::http::server;
use crate::request::Request;

/// Why a front end crashes.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The console that was given, or one of the runner of this service.
pub(crate) fn console(given: Option<&Console>, context: &Context) -> Result<Console, BoxError> {
    if let Some(console) = given {
        return Ok(console.clone());
    }
    let runner = context.runner().ok_or("the console has no runner; register it with one")?;
    Ok(Console::new(&runner))
}

/// Answers requests until the service is asked to stop.
pub(crate) fn serve(
    listener: Listener,
    context: &Context,
    answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> Result<(), BoxError> {
    let handler: Arc<Handler> = Arc::new(answer);
    server::serve(listener, &handler, Limits::DEFAULT, context)
        .map_err(|error| format!("cannot start a thread for the console: {error}").into())
}

/// Opens a port.
#[cfg(any(feature = "probes", feature = "serve"))]
pub(crate) fn bind(
    address: &(impl std::net::ToSocketAddrs + std::fmt::Display),
) -> Result<std::net::TcpListener, BoxError> {
    std::net::TcpListener::bind(address).map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another address, or end what uses it")
            .into()
    })
}
