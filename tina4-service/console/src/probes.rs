//! Probes and metrics on a port of their own.

use std::fmt::Display;
use std::net::ToSocketAddrs;

use tina4_service::Service;

use crate::access::Access;
use crate::answer::{Answer, Body};
use crate::console::Console;
use crate::front_end::{self, BoxError};
use crate::http::listener::Listener;
use crate::peer::Peer;
use crate::request::Request;

/// The name of the service that [`probes`] returns.
const NAME: &str = "tina4.probes";

/// What it answers.
const PATHS: [&str; 4] = ["/livez", "/readyz", "/health", "/metrics"];

/// A service that answers `GET` of `/livez`, `/readyz`, `/health` and `/metrics` on a port, and nothing else.
///
/// It is for an orchestrator and a monitoring system, which reach the program over the network and have no token. Its name
/// is `tina4.probes`.
///
/// ```no_run
/// use tina4_service_console::{probes, serve};
///
/// // For the operator on this machine, and for the cluster.
/// tina4_service::register(serve("127.0.0.1:9000"))?;
/// tina4_service::register(probes("0.0.0.0:9001"))?;
/// # Ok::<(), tina4_service::RegisterError>(())
/// ```
///
/// Everybody who can reach the port from another machine sees the names and states of the services, their metrics, and why
/// they are not healthy; but nothing can be changed. Open it on an address that only those who may see that can reach.
/// Visitors on this machine may see as much as the console shows them, so that no page that a browser on
/// this machine has open can read it.
#[track_caller]
pub fn probes(address: impl ToSocketAddrs + Display + Send + Sync + 'static) -> Service {
    service(None, address)
}

impl Console {
    /// [`probes`] with the settings of this console.
    #[track_caller]
    pub fn probes(&self, address: impl ToSocketAddrs + Display + Send + Sync + 'static) -> Service {
        service(Some(self.clone()), address)
    }
}

#[track_caller]
fn service(
    console: Option<Console>,
    address: impl ToSocketAddrs + Display + Send + Sync + 'static,
) -> Service {
    Service::new(NAME, move |context| -> Result<(), BoxError> {
        let console = front_end::console(console.as_ref(), context)?;
        let listener = front_end::bind(&address)?;
        tracing::info!(address = %listener.local_addr()?, "probes are answered on a port");
        let answer = move |request: &Request| answer(&console, request);
        front_end::serve(Listener::Tcp(listener), context, answer)
    })
}

/// The answer of the console, if it is one of a probe.
fn answer(console: &Console, request: &Request) -> Answer {
    if !PATHS.contains(&&*request.path) {
        return refuse(
            404,
            "only /livez, /readyz, /health and /metrics are answered on this port\n",
        );
    }
    if !matches!(&*request.method, "GET" | "HEAD") {
        return refuse(405, "only GET is answered on this port\n");
    }
    let is_remote = match &request.peer {
        Peer::Tcp(address) => !address.ip().to_canonical().is_loopback(),
        Peer::Unix(_) | Peer::Unknown => false,
    };
    if is_remote {
        let granted = Some(Access::Read.into());
        return console.answer(&Request { granted, ..request.clone() });
    }
    console.answer(request)
}

fn refuse(status: u16, text: &str) -> Answer {
    let mut headers = vec![
        ("content-type", "text/plain; charset=utf-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    if status == 405 {
        headers.push(("allow", "GET, HEAD".to_owned()));
    }
    Answer { status, headers, body: Body::Bytes(text.as_bytes().to_vec()) }
}

#[cfg(test)]
mod tests;
