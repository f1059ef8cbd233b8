//! A small web shop in one process: an HTTP server that takes orders, and the background services
//! that mail, settle, count and report them. See its README.
//!
//! The path of an order:
//!
//! ```text
//! POST /orders ─ web ─> OrderForm ─ validate ─> NewOrder ─ place ─> order + job in MAILS (one transaction)
//!                                                                               │
//!                          outbox/order-000001.eml <─ Outbox <─ Job<Mail> <─ email_consumer
//! ```
//!
//! `main` acquires everything that may be missing or in use, provides it, and calls `run`.

mod cli;
mod log;
mod mails;
mod orders;
mod outbox;
mod payments;
mod process;
mod services;
mod stats;
mod store;
mod visits;
mod web;

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

use tina4_service::Service;
use tina4_service_console::Console;

use cli::{Command, Options};

/// The usual exit code for a wrong command line.
const USAGE: u8 = 2;

/// The usual exit code for a wrong configuration; `run` uses it for faults in the services, too.
const CONFIG: u8 = 78;

fn main() -> ExitCode {
    let options = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => {
            print(cli::HELP);
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprintln!("shop: {reason}; see `shop --help`");
            return ExitCode::from(USAGE);
        }
    };
    log::init();
    // A console that everybody could use is worse than no shop.
    match Console::global().title("shop").token_from_env() {
        Ok(console) => tina4_service::provide(console),
        Err(reason) => {
            eprintln!("shop: TINA4_CONSOLE_TOKEN: {reason}");
            return ExitCode::from(CONFIG);
        }
    }
    match prepare(options) {
        Ok(()) => tina4_service::run(),
        Err(reason) => {
            eprintln!("shop: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Acquires and provides what the services need. It runs before any service starts, so that a port
/// in use is an error at start instead of a crash of a service.
fn prepare(options: Options) -> Result<(), String> {
    let Options { port, data, queue, socket, run_for, mail_takes } = options;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}; try `--port 0`"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let store = store::Store::open(&data).map_err(|error| error.to_string())?;
    let queues = mails::open_queue(queue.as_ref(), &store::database(&data))
        .map_err(|error| format!("cannot use the mail queue: {error}"))?;
    let outbox = outbox::Outbox::open(&data.join("outbox"), mail_takes).map_err(|error| {
        format!(
            "cannot create {}: {error}; check its permissions, or choose another directory with `--data`",
            data.join("outbox").display()
        )
    })?;

    tina4_service::provide(listener);
    tina4_service::provide(store);
    tina4_service::provide(queues);
    tina4_service::provide(outbox);
    tina4_service::provide(visits::VisitCounter::default());
    if let Some(path) = socket {
        open_socket(path)?;
    }
    if let Some(run_for) = run_for {
        // Known only at run time, so it is registered instead of declared.
        tina4_service::register(
            Service::new("shutdown_timer", |_| drop(tina4_service::stop_all()))
                .initial_delay(run_for),
        )
        .unwrap();
    }
    print(&format!("the shop is open at http://{address}; data in {}\n", data.display()));
    Ok(())
}

/// Adds the service that answers `tina4ctl`.
#[cfg(unix)]
fn open_socket(path: std::path::PathBuf) -> Result<(), String> {
    tina4_service::register(tina4_service_console::socket(path)).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn open_socket(_: std::path::PathBuf) -> Result<(), String> {
    Err("there are no unix sockets here; leave out `--socket`".to_owned())
}

/// Writes to standard output. Errors are ignored: the shop works without it.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
