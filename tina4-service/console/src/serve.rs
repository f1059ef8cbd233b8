//! The console on a port, for programs without a server of their own.

use std::fmt::Display;
use std::net::ToSocketAddrs;

use tina4_service::{Permanent, Service};

use crate::console::Console;
use crate::front_end::{self, BoxError};
use crate::http::listener::Listener;
use crate::request::Request;

/// The name of the service that [`serve`] returns.
const NAME: &str = "tina4.console";

/// A service that answers on a port, for programs without a server of their own.
///
/// It shows and steers the runner that it is registered with. Its name is `tina4.console`. The
/// address is one such as `127.0.0.1:9000`.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     tina4_service::register(tina4_service_console::serve("127.0.0.1:9000")).unwrap();
///     tina4_service::run()
/// }
/// ```
///
/// Who may do what is [decided as everywhere](crate#who-may-do-what): a visitor on this machine may see everything, and
/// who sends the value of the variable `TINA4_CONSOLE_TOKEN` may do everything.
/// There is no TLS; put a proxy in front of it, or nest the router of the feature `axum` in a server that has it.
///
/// If the port is in use, this service crashes and is restarted with backoff, and the others go on.
#[track_caller]
pub fn serve(address: impl ToSocketAddrs + Display + Send + Sync + 'static) -> Service {
    service(None, address)
}

impl Console {
    /// [`serve`] with the settings of this console, such as its token.
    #[track_caller]
    pub fn serve(&self, address: impl ToSocketAddrs + Display + Send + Sync + 'static) -> Service {
        service(Some(self.clone()), address)
    }
}

#[track_caller]
fn service(
    console: Option<Console>,
    address: impl ToSocketAddrs + Display + Send + Sync + 'static,
) -> Service {
    Service::new(NAME, move |context| -> Result<(), BoxError> {
        let console = match &console {
            Some(console) => console.clone(),
            None => front_end::console(None, context)?.token_from_env().map_err(Permanent::new)?,
        };
        let listener = front_end::bind(&address)?;
        tracing::info!(address = %listener.local_addr()?, "the console answers on a port");
        let answer = move |request: &Request| console.answer(request);
        front_end::serve(Listener::Tcp(listener), context, answer)
    })
}
