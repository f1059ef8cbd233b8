//! What the console says of services: the fields that are shown.

use serde::Deserialize;

use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;

/// All services.
#[derive(Debug, Deserialize)]
pub(crate) struct List {
    pub(crate) services: Vec<Service>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) healthy: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) schedule: Schedule,
    pub(crate) next_due: Option<String>,
    pub(crate) last_start: Option<String>,
    pub(crate) last_end: Option<String>,
    pub(crate) last_outcome: Option<String>,
    pub(crate) last_error: Option<String>,
    pub(crate) overdue_seconds: Option<f64>,
    pub(crate) reason: Option<String>,
    pub(crate) runs: u64,
    pub(crate) crashes: u64,
}

/// When a service runs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) text: String,
}

/// The past runs of a service.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct History {
    pub(crate) runs: Vec<Run>,
    pub(crate) failures: Vec<Run>,
}

/// A past run, or several in quick succession.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) run: u64,
    pub(crate) count: u64,
    pub(crate) trigger: String,
    pub(crate) start: Option<String>,
    pub(crate) took_seconds: f64,
    pub(crate) outcome: String,
    pub(crate) error: Option<String>,
    pub(crate) by: Option<By>,
}

/// Who asked for something.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct By {
    pub(crate) name: String,
    pub(crate) reason: Option<String>,
}

/// The next due times of a service.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Plan {
    pub(crate) schedule: String,
    pub(crate) active: bool,
    pub(crate) next: Vec<Option<String>>,
}

/// What an action has led to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Done {
    pub(crate) state: Option<String>,
    /// The number of the run, with `run`.
    pub(crate) run: Option<u64>,
}

impl List {
    pub(crate) fn get(client: &Client) -> Result<Self, Failure> {
        read(&client.get("/services")?)
    }
}

/// Whether a service in this state is active.
pub(crate) fn is_active(state: &str) -> bool {
    matches!(state, "waiting" | "running" | "backing off" | "paused" | "stopping")
}

/// Reads an answer of the console.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::new(Exit::Unreachable, format!("the answer is not that of a console: {error}"))
            .hint("check the URL, and whether both programs have the same version")
    })
}
