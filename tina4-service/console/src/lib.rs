//! A console for the services of a program: see and steer them over HTTP, from a browser, a script or a probe.
//!
//! The core is a function from a [`Request`] to an [`Answer`], [`Console::answer`]. It opens no socket and knows no
//! framework; front ends translate between it and the world. With the feature `axum`, which is enabled by default, a
//! [`Console`] is mounted in the program's own server with one line:
//!
//! ```no_run
//! # #[cfg(feature = "axum")]
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! use std::net::SocketAddr;
//!
//! use axum::Router;
//! use tina4_service_console::Console;
//!
//! let console = Console::global().title("shop (production)").token_from_env()?;
//! let router = Router::new().nest_service("/ops", console);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! ```sh
//! curl http://localhost:8080/ops/services
//! curl -H "Authorization: Bearer $TINA4_CONSOLE_TOKEN" -X POST http://localhost:8080/ops/services/heartbeat/run
//! ```
//!
//! A program without a server of its own registers a service that answers:
//!
//! ```no_run
//! # #[cfg(feature = "serve")]
//! tina4_service::register(tina4_service_console::serve("127.0.0.1:9000")).unwrap();
//! ```
//!
//! With the feature `socket`, `socket` answers on a unix socket, for `tina4ctl` (package `tina4-service-ctl`), and with the
//! feature `probes`, `probes` answers probes and metrics on a port of their own. These three are written with `std` only.
//!
//! # Paths
//!
//! Paths are relative to where the console is mounted, and so is every link that it shows.
//!
//! | path | what it answers |
//! | --- | --- |
//! | `GET /`, `/services/NAME`, `/queues` | in a browser: pages, with the feature `page`, which is enabled by default |
//! | `GET /services` | the services: `{"schema": 1, "title": "shop", "services": [..]}`; `?state=failed` and `?tag=mail` select some |
//! | `GET /services/NAME` | one service |
//! | `GET /services/NAME/runs` | its [history](tina4_service::Runner::history) |
//! | `GET /services/NAME/runs/RUN/log` | the log lines of a run as text, with the feature `run-log`; `RUN` is a number, `last` or `last-failing` |
//! | `GET /services/NAME/plan` | its next due times: 10, or `?n=100` |
//! | `GET /events` | a stream of server-sent events: all services, then those that have changed, and the names of those that are gone; `?name=` selects some |
//! | `GET /livez` | whether the [engine makes progress](tina4_service::Runner::is_live): status 200 or 503 |
//! | `GET /readyz` | whether the program is [ready](tina4_service::Runner::readiness): status 200 or 503; `?verbose` also says why if it is |
//! | `GET /health` | its [health](tina4_service::Runner::health); status 503 if it is down |
//! | `GET /metrics` | the [metrics](tina4_service::Runner::prometheus) for Prometheus |
//! | `GET /queues`, `/queues/NAME` | queues and their numbers of jobs, with the feature `queue` |
//! | `GET /queues/NAME/dead` | its dead jobs without their payloads, sorted by id: 50, or `?n=500`; `?after=ID` shows the next ones |
//! | `POST /services/NAME/ACTION` | `run`, `pause`, `resume`, `start`, `stop`, `restart` or `reset` |
//! | `POST /tags/TAG/ACTION` | `pause` or `resume`: all services with a tag |
//! | `POST /queues/NAME/redrive` | tries a dead job again, `{"job": "7"}`, or all of them, `{"job": "all"}` |
//!
//! Snapshots, histories and schedules have the shape that the [core documents](tina4_service::shape). What the console
//! adds has the field `schema`, which is 1, and follows the same rules. A refusal is an object of the type
//! `application/problem+json` with `title`, `status`, `detail` and `hint`.
//!
//! An action takes a body, as JSON or as a form: `{"reason": "disk full", "by": "alice"}`. Both may be missing. It is made
//! [on behalf](tina4_service::Runner::on_behalf_of) of the visitor, so it is an event and a log line, and the run that it
//! begins knows who asked. What the program knows of the visitor counts more than what the body says.
//!
//! Actions other than `run` may be repeated: pausing a service that is paused is no error. They are answered with the state
//! that the service has got to. A run is answered with status 202 and its number, as soon as it has begun. A stop or a restart that
//! takes longer than half a second is answered with status 202, too, and goes on.
//!
//! A stream of events begins with blocks that contain all services, at most 500 each. Then a block follows whenever something has
//! changed, at most four a second, and a comment after 15 seconds without a change. Counts that only grow with time, such as
//! `overdue_seconds`, are no change. There are at most 32 streams; a further client gets status 503, and asks for the
//! list from time to time. A client that reads nothing for ten seconds is dropped, and gets the whole list when it comes
//! back. So does each client after ten minutes, because what it may see is decided when its stream begins. All streams end when the
//! runner begins to stop. `?name=mail&name=import` selects services, 100 at most.
//!
//! # Who may do what
//!
//! One place decides, before anything is done:
//!
//! 1. Who sends the [token](Console::token) may do everything. It has at least 32 characters. The user name that Basic
//!    authentication sends along is recorded as `alice (claimed)`, because nobody has checked it.
//! 2. A process that has opened a unix socket may do what [that socket allows](UnixPeer::access).
//! 3. If the program decides ([`Console::access`], or an extension of the type [`Grant`] in an axum request), that counts. If it
//!    does both, the closure decides alone; it finds the other in [`Request::granted`].
//! 4. Otherwise, programs on this machine may read. A request counts as one of this machine if it comes from a loopback
//!    address, no proxy has forwarded it, and its header `host` names this machine:
//!    [`Request::is_from_this_machine`]. Pages of other sites that somebody's browser here shows cannot embed what it answers.
//! 5. Nobody else sees anything, except that everybody may ask for `/livez` and `/readyz`, and gets the status. Why a program is
//!    not ready is told to those who may read.
//!
//! **Rule 4 is not safe behind a proxy that hides itself.** A proxy on this machine connects from a loopback address, too. The
//! console recognizes it by the headers that proxies add (such as `forwarded`, `via` and `x-forwarded-for`), by
//! version 1.0 of HTTP, which older nginx uses, and by a `host` that it passes on; one that does nothing of this makes
//! everybody in the world a program on this machine. So behind any proxy, set a token and let nobody in without it, or
//! without a login:
//!
//! ```no_run
//! use tina4_service_console::{Access, Console};
//!
//! let console = Console::global().token_from_env()?.access(|_| Access::None);
//! # Ok::<(), tina4_service_console::TokenError>(())
//! ```
//!
//! A page of another site can do nothing, in any visitor's browser: what changes something has to come from the
//! console's own page, or not from a browser. Behind a proxy that changes the header `host`, browsers that do not send
//! `sec-fetch-site`, which they omit on plain HTTP, are refused.
//!
//! A visitor whom the program does not know is asked for the token, if there is one. Refusals are in the log, one a minute at most.
//!
//! Texts of errors, reasons and log lines may contain secrets: [`Console::redact`] hides them. The values of settings that the
//! deployment has changed are shown as they are.
#![deny(unsafe_code)]

mod access;
mod acting;
mod action;
mod answer;
mod asked;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "queue")]
mod backlogs;
mod console;
mod credentials;
mod events;
#[cfg(any(feature = "probes", feature = "serve", all(unix, feature = "socket")))]
mod front_end;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
#[cfg(any(feature = "probes", feature = "serve", all(unix, feature = "socket")))]
mod http;
mod nearest;
mod origin;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "page")]
mod pages;
mod peer;
#[cfg(feature = "probes")]
mod probes;
mod probing;
mod problem;
mod query;
#[cfg(feature = "queue")]
mod queues;
mod reading;
mod refusals;
mod request;
mod respond;
mod route;
#[cfg(feature = "serve")]
mod serve;
mod settings;
#[cfg(all(unix, feature = "socket"))]
mod socket;
mod stops;
mod sys;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod version;

pub use access::{Access, Grant};
pub use action::Action;
pub use answer::{Answer, Body};
pub use console::Console;
pub use events::event_stream::EventStream;
pub use peer::{Peer, UnixPeer};
#[cfg(feature = "probes")]
pub use probes::probes;
pub use request::Request;
#[cfg(feature = "serve")]
pub use serve::serve;
#[cfg(all(unix, feature = "socket"))]
pub use socket::{Socket, SocketError, socket};
pub use token::TokenError;
pub use version::Version;
