//! The two threads behind the streams of events. They exist only while there are clients.
//!
//! One looks at the services, for all clients. It may wait for the engine of a queue, which is asked for its numbers of jobs. The
//! other one waits for nothing: it notices that the runner begins to stop, and breaks long silences.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tina4_service::Runner;

use crate::answer::Answer;
use crate::events::board::{Board, Update};
use crate::events::client::Client;
use crate::events::event_stream::EventStream;
use crate::problem::Problem;
use crate::query::Query;
use crate::reading::snapshots;
use crate::request::Request;
use crate::settings::Settings;
use crate::sys::{clock, threads};

/// How many clients there may be at once. A browser opens one for each tab.
pub(crate) const MAX_CLIENTS: usize = 32;

/// How long at least passes between two looks at the services.
const INTERVAL: Duration = Duration::from_millis(250);

/// A look at very many services takes time, so the pause after it is this many times as long.
const PAUSE_FACTOR: u32 = 20;

/// The streams of events of a console.
#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Shared>);

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    clients: Vec<Arc<Client>>,
    is_watched: bool,
    is_looked_at: bool,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Ends the streams when the runner begins to stop, and breaks silences.
    Watch,
    /// Looks at the services.
    Look,
}

impl Hub {
    /// Opens a stream of events.
    pub(crate) fn connect(
        &self,
        settings: &Arc<Settings>,
        request: &Request,
    ) -> Result<Answer, Problem> {
        let names = Query::of(request, &["name"])?.all("name");
        if is_stopping(&settings.runner()?) {
            return Err(Problem::new(503, "stopping", "the runner is stopping"));
        }
        let client = Arc::new(Client::new(names, clock::now()));
        let stream = EventStream(Arc::clone(&client));
        if request.method == "HEAD" {
            return Ok(Answer::events(stream));
        }
        let mut state = self.0.lock();
        state.clients.retain(|client| !client.has_ended());
        if state.clients.len() >= MAX_CLIENTS {
            let detail = format!("{MAX_CLIENTS} clients are connected already");
            return Err(Problem::new(503, "too many clients", detail)
                .hint("ask for the list again and again instead, such as every 10 seconds")
                .header("retry-after", "10"));
        }
        for role in [Role::Watch, Role::Look] {
            if *state.has_thread(role) {
                continue;
            }
            let (shared, settings) = (Arc::clone(&self.0), Arc::clone(settings));
            let task = Task { shared, settings, role };
            threads::start("tina4-console", move || task.run()).map_err(|error| {
                Problem::new(503, "no thread", format!("no thread could be started: {error}"))
                    .hint("check the limits of the process")
            })?;
            *state.has_thread(role) = true;
        }
        state.clients.push(client);
        Ok(Answer::events(stream))
    }

    /// Ends all streams.
    pub(crate) fn end_streams(&self) {
        for client in &self.0.lock().clients {
            client.end();
        }
    }

    /// Whether there is no thread.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.0.lock();
        !state.is_watched && !state.is_looked_at
    }
}

impl State {
    /// Whether there is a thread that does this.
    fn has_thread(&mut self, role: Role) -> &mut bool {
        match role {
            Role::Watch => &mut self.is_watched,
            Role::Look => &mut self.is_looked_at,
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clients that are still there. If there are none, the thread with this role is over.
    fn clients(&self, role: Role) -> Option<Vec<Arc<Client>>> {
        let mut state = self.lock();
        state.clients.retain(|client| !client.has_ended());
        if state.clients.is_empty() {
            *state.has_thread(role) = false;
            return None;
        }
        Some(state.clients.clone())
    }
}

/// Whether the runner has begun to stop, or has stopped.
fn is_stopping(runner: &Runner) -> bool {
    runner.readiness().runner.is_some()
}

struct Task {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    role: Role,
}

impl Task {
    fn run(self) {
        // Also if something below panics, no client waits for ever.
        let mut end = EndAll { shared: &self.shared, role: self.role, is_armed: true };
        let (mut board, mut look_at) = (Board::default(), clock::now());
        while let Some(clients) = self.shared.clients(self.role) {
            // While it pauses, it does not keep the services running.
            let Some(runner) = self.settings.runner.upgrade() else { return };
            let now = clock::now();
            match self.role {
                Role::Watch if is_stopping(&runner) => return,
                Role::Watch => clients.iter().for_each(|client| client.update(&[], now)),
                Role::Look if now < look_at => {}
                Role::Look => {
                    self.look(&runner, &mut board, &clients);
                    let took = clock::now() - now;
                    look_at = now + took + took * PAUSE_FACTOR;
                }
            }
            drop(runner);
            clock::pause(INTERVAL);
        }
        end.is_armed = false;
    }

    /// Looks at the services, and tells the clients what has changed.
    fn look(&self, runner: &Runner, board: &mut Board, clients: &[Arc<Client>]) {
        let services = snapshots(&self.settings, runner);
        let update = board.update(&services);
        let for_all = board.blocks(&update, &[]);
        let (mut list, now) = (None, clock::now());
        for client in clients {
            if client.is_new() {
                let list = list.get_or_insert_with(|| Update::list(&services));
                client.begin(board.blocks(list, &client.names), now);
            } else if client.names.is_empty() {
                client.update(&for_all, now);
            } else {
                client.update(&board.blocks(&update, &client.names), now);
            }
        }
    }
}

/// Ends all streams when a thread ends although there are clients.
struct EndAll<'a> {
    shared: &'a Shared,
    role: Role,
    is_armed: bool,
}

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        if !self.is_armed {
            return;
        }
        let mut state = self.shared.lock();
        *state.has_thread(self.role) = false;
        for client in state.clients.drain(..) {
            client.end();
        }
    }
}
