//! SIGUSR1: asks for a table of the services in the log.

use std::io;
use std::sync::Arc;

use crate::engine::Engine;
use crate::process::signals::handler::Signals;
use crate::process::signals::install::install_dump_handler;
use crate::process::signals::waiters::Waiters;
use crate::process::signals::{dump_runners, thread};

/// From now on, SIGUSR1 makes this runner write its services to the log. Repeated calls have no further effect.
///
/// # Errors
///
/// The operating system refused the handler or a thread.
pub(crate) fn listen(engine: &Arc<Engine>) -> io::Result<()> {
    if dump_runners::contains(engine) {
        return Ok(());
    }
    let signals = Signals::get();
    thread::start_thread_once(signals, Waiters::get())?;
    signals.accept_dump();
    install_dump_handler()?;
    dump_runners::add(engine);
    Ok(())
}
