//! Pings for the runs of one service, in the manner of healthchecks.io: `/start` when a run begins, the address itself when it
//! ended well, and `/fail`, with the error, when it has not.
//!
//! A process that was killed, or whose machine is gone, sends no message of its own. Whoever receives the pings notices
//! that they stop. Runs of one service never overlap, so a ping needs no id of its run.

use std::io;
use std::thread;

use tina4_service::{Change, RunOutcome, Runner};

use crate::http;

/// Sends the pings of a service to this address, from a thread of its own that ends with the runner.
#[expect(clippy::disallowed_methods, reason = "a thread of the program, not of the crate")]
pub(crate) fn install(runner: &Runner, service: &'static str, url: String) -> io::Result<()> {
    let events = runner.subscribe();
    let ping = move |path: &str, body: &str| {
        if let Err(error) = http::post(&format!("{url}{path}"), "text/plain", body) {
            // The address is a secret.
            tracing::warn!(service, %error, "a ping could not be sent");
        }
    };
    thread::Builder::new().name("pings".to_owned()).spawn(move || {
        for event in events.iter().filter(|event| event.service == service) {
            if let Change::RunBegan { .. } = event.change {
                ping("/start", "");
            } else if let Change::RunEnded { outcome: RunOutcome::Ok, .. } = event.change {
                ping("", "");
            } else if let Change::Crashed { cause, .. } = event.change {
                // It follows the end of the run, and has the error.
                ping("/fail", &cause);
            } else if let Change::Abandoned { .. } = event.change {
                ping("/fail", "it did not stop in time");
            }
        }
    })?;
    Ok(())
}
