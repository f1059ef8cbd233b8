//! The task that looks at the services for all clients. It exists only while there are clients.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tina4_service::Runner;

use crate::answer::Answer;
use crate::events::board::{Board, Update};
use crate::events::client::Client;
use crate::events::event_stream::EventStream;
use crate::events::pace::{INTERVAL, Pace};
use crate::problem::Problem;
use crate::query::Query;
use crate::reading::snapshots_for_stream;
use crate::request::Request;
use crate::settings::Settings;
use crate::sys::{clock, threads};

/// How many clients there may be at once. A browser opens one for each tab.
pub(crate) const MAX_CLIENTS: usize = 32;

/// How many services a client may name: each is looked up in each update.
const MAX_NAMES: usize = 100;

/// The streams of events of a console.
#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clients: Vec<Arc<Client>>,
    has_task: bool,
}

impl Hub {
    /// Opens a stream of events.
    pub(crate) fn connect(
        &self,
        settings: &Arc<Settings>,
        request: &Request,
    ) -> Result<Answer, Problem> {
        let names = names(request)?;
        if is_stopping(&settings.runner()?) {
            return Err(Problem::new(503, "stopping", "the runner is stopping"));
        }
        let client = Arc::new(Client::new(names));
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
        state.clients.push(client);
        if !state.has_task {
            let task = Task { shared: Arc::clone(&self.0), settings: Arc::clone(settings) };
            threads::start("tina4-console", move || task.run()).map_err(|error| {
                state.clients.clear();
                Problem::new(503, "no thread", format!("no thread could be started: {error}"))
                    .hint("check the limits of the process")
            })?;
            state.has_task = true;
        }
        Ok(Answer::events(stream))
    }

    /// Whether there is no task that looks at the services.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        !self.0.lock().has_task
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clients that are still there. If there are none, the task is over.
    fn clients(&self) -> Option<Vec<Arc<Client>>> {
        let mut state = self.lock();
        state.clients.retain(|client| !client.has_ended());
        if state.clients.is_empty() {
            state.has_task = false;
            return None;
        }
        Some(state.clients.clone())
    }
}

/// The services that a client wants to hear of.
fn names(request: &Request) -> Result<HashSet<String>, Problem> {
    let names = Query::with_repeated(request, &["name"])?.all("name");
    if names.len() > MAX_NAMES {
        let detail = format!("the query has {} names", names.len());
        return Err(Problem::malformed(detail)
            .hint(format!("give {MAX_NAMES} at most, or none for all services")));
    }
    Ok(names.into_iter().collect())
}

/// Whether the runner has begun to stop, or has stopped.
fn is_stopping(runner: &Runner) -> bool {
    runner.readiness().runner.is_some()
}

struct Task {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
}

impl Task {
    fn run(self) {
        // Also if something below panics, no client waits for ever.
        let mut end = EndAll(Some(&self.shared));
        let mut board = Board::default();
        let mut pace = Pace::new(clock::now());
        loop {
            let Some(clients) = self.shared.clients() else {
                end.0 = None;
                return;
            };
            let Some(runner) = self.settings.runner.upgrade() else { return };
            if is_stopping(&runner) {
                return;
            }
            let now = clock::now();
            if pace.is_due(now) {
                self.look(&runner, &mut board, &clients, now);
                pace.looked(now, clock::now());
            }
            for client in &clients {
                client.tick(clock::now());
            }
            // While it waits, it does not keep the services running.
            drop(runner);
            clock::pause(INTERVAL);
        }
    }

    /// Looks at the services, and tells the clients what has changed.
    fn look(&self, runner: &Runner, board: &mut Board, clients: &[Arc<Client>], now: Instant) {
        let services = snapshots_for_stream(&self.settings, runner);
        let update = board.update(&services);
        let for_all = board.blocks(&update, &HashSet::new());
        let (mut list, mut list_for_all) = (None, None);
        for client in clients {
            if client.is_new() {
                let list = list.get_or_insert_with(|| Update::list(&services));
                if client.names.is_empty() {
                    // It is the largest thing here, so clients that come together share it.
                    let blocks =
                        list_for_all.get_or_insert_with(|| board.blocks(list, &client.names));
                    client.begin(blocks, now);
                } else {
                    client.begin(&board.blocks(list, &client.names), now);
                }
            } else if client.names.is_empty() {
                client.update(&for_all, now);
            } else {
                client.update(&board.blocks(&update, &client.names), now);
            }
        }
    }
}

/// Ends all streams when the task ends.
struct EndAll<'a>(Option<&'a Shared>);

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        let Some(shared) = self.0 else { return };
        let mut state = shared.lock();
        state.has_task = false;
        for client in state.clients.drain(..) {
            client.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use tina4_service::Service;

    use super::*;
    use crate::sys::panics;

    #[test]
    fn rule_118_clients_that_come_together_share_the_list() {
        let runner = Runner::new();
        runner.register(Service::new("mail", |_| {}).interval("1h")).unwrap();
        let shared = Arc::new(Shared::default());
        let task = Task { shared, settings: Arc::new(Settings::new(&runner)) };
        let clients = [(); 3].map(|()| Arc::new(Client::new(HashSet::new())));
        task.look(&runner, &mut Board::default(), &clients, clock::now());
        let lists = clients.each_ref().map(|client| client.next().unwrap());
        assert!(lists.iter().all(|list| Arc::ptr_eq(list, &lists[0])));
    }

    #[test]
    fn rule_118_a_panic_while_the_services_are_looked_at_ends_all_streams() {
        let shared = Shared::default();
        let client = Arc::new(Client::new(HashSet::new()));
        let mut stream = EventStream(Arc::clone(&client));
        *shared.lock() = State { clients: vec![client], has_task: true };
        let panicked = panics::catch(|| {
            let _end = EndAll(Some(&shared));
            panic!("a bug");
        });
        assert!(panicked.is_none());
        assert_eq!(stream.next(), None, "it does not wait for ever");
        assert!(!shared.lock().has_task, "and the next client gets a task of its own");
    }
}
