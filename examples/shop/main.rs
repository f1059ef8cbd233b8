//! A small shop, run by one process: an HTTP server that takes orders, and the services beside it
//! that mail, pay, count and report. See its README.
//!
//! The trip of an order:
//!
//! ```text
//! POST /orders ─ web ─> OrderForm ─ check ─> NewOrder ─ store ─> orders + mail_jobs   one transaction
//!                                                                      │
//!                     outbox/order-000001.eml <─ Outbox <─ MailJob <─ email_consumer
//! ```
//!
//! `main` opens what can be missing or taken, provides it, and leaves the rest to `run`.

mod cli;
mod health;
mod log;
mod mail_jobs;
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

use cli::{Command, Options};

/// The exit code of a command line that makes no sense, as everywhere.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match cli::read(std::env::args_os().skip(1)) {
        Ok(Command::Open(options)) => options,
        Ok(Command::Help) => {
            say(cli::HELP);
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprintln!("shop: {reason}; `shop --help` shows what there is");
            return ExitCode::from(USAGE);
        }
    };
    log::start();
    match open(options) {
        Ok(()) => tina4_service::run(),
        Err(reason) => {
            eprintln!("shop: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Takes what the shop needs of the machine, before anything starts: so a port that is taken is an
/// error of the start, not a crash of a service.
fn open(options: Options) -> Result<(), String> {
    let Options { port, data, closing_time, mail_takes } = options;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}; try `--port 0`"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let store = store::Store::open(&data).map_err(|error| error.to_string())?;
    let outbox = outbox::Outbox::open(&data.join("outbox"), mail_takes)
        .map_err(|error| format!("cannot write to {}: {error}", data.join("outbox").display()))?;

    tina4_service::provide(listener);
    tina4_service::provide(store);
    tina4_service::provide(outbox);
    tina4_service::provide(visits::Tally::default());
    if let Some(after) = closing_time {
        // Known at run time only, so it is registered instead of declared.
        tina4_service::register(
            Service::new("closing_time", |_| drop(tina4_service::stop_all())).initial_delay(after),
        );
    }
    say(&format!("the shop is open at http://{address}; data in {}\n", data.display()));
    Ok(())
}

/// Writes to standard output, which may be closed: the shop works without it.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
