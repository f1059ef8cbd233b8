//! The two threads behind the streams of events. They exist only while there are clients.
//!
//! One looks at the services, for all clients. It may wait for the engine of a queue, which is asked for its numbers of jobs. The
//! other one waits for nothing: it notices that the runner begins to stop, and breaks long silences.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        let names = names(request)?;
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
    role: Role,
}

impl Task {
    fn run(self) {
        // Also if something below panics, no client waits for ever.
        let mut end = EndAll { shared: &self.shared, role: self.role, is_armed: true };
        let (mut board, mut pace) = (Board::default(), Pace::new(clock::now()));
        while let Some(clients) = self.shared.clients(self.role) {
            // While it pauses, it does not keep the services running.
            let Some(runner) = self.settings.runner.upgrade() else { return };
            let now = clock::now();
            match self.role {
                Role::Watch if is_stopping(&runner) => return,
                Role::Watch => clients.iter().for_each(|client| client.tick(now)),
                Role::Look if pace.is_due(now) => {
                    self.look(&runner, &mut board, &clients);
                    pace.looked(now, clock::now());
                }
                Role::Look => {}
            }
            drop(runner);
            clock::pause(INTERVAL);
        }
        end.is_armed = false;
    }

    /// Looks at the services, and tells the clients what has changed.
    fn look(&self, runner: &Runner, board: &mut Board, clients: &[Arc<Client>]) {
        let services = snapshots_for_stream(&self.settings, runner);
        let update = board.update(&services);
        let for_all = board.blocks(&update, &HashSet::new());
        let (mut list, mut list_for_all, now) = (None, None, clock::now());
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
        let settings = Arc::new(Settings::new(&runner));
        let task = Task { shared, settings, role: Role::Look };
        let now = clock::now();
        let clients = [(); 3].map(|()| Arc::new(Client::new(HashSet::new(), now)));
        task.look(&runner, &mut Board::default(), &clients);
        let lists = clients.each_ref().map(|client| client.next().unwrap());
        assert!(lists.iter().all(|list| Arc::ptr_eq(list, &lists[0])));
    }

    #[test]
    fn rule_118_a_panic_while_the_services_are_looked_at_ends_all_streams() {
        let shared = Shared::default();
        let client = Arc::new(Client::new(HashSet::new(), clock::now()));
        let mut stream = EventStream(Arc::clone(&client));
        *shared.lock() = State { clients: vec![client], is_watched: true, is_looked_at: true };
        let panicked = panics::catch(|| {
            let _end = EndAll { shared: &shared, role: Role::Look, is_armed: true };
            panic!("a bug");
        });
        assert!(panicked.is_none());
        assert_eq!(stream.next(), None, "it does not wait for ever");
        let state = shared.lock();
        assert!(!state.is_looked_at, "and the next client gets a thread of its own");
        assert!(state.is_watched, "the other thread ends by itself");
    }
}
