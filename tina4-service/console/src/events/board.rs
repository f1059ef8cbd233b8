//! What the clients have been told of each service, and what has changed since.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tina4_service::{ServiceInfo, State};

use crate::reading::SCHEMA;

/// How many services one block tells of, at most.
const MAX_PER_BLOCK: usize = 500;

/// By how much an instant may differ from one reading of the clocks to the next.
const SAME_INSTANT: Duration = Duration::from_millis(50);

/// What the clients have been told.
#[derive(Default)]
pub(super) struct Board {
    seen: HashMap<String, Seen>,
    /// The number of the last block.
    id: u64,
}

/// The changed services, or the whole list.
#[derive(Default)]
pub(super) struct Update {
    /// Each service with its name, as JSON.
    services: Vec<(String, Box<serde_json::value::RawValue>)>,
    /// The services that are gone.
    gone: Vec<String>,
    is_list: bool,
}

/// What matters of a service. What only grows with time, such as for how long it has been overdue, does not: whoever
/// shows it can count on.
#[derive(PartialEq)]
struct Seen {
    state: State,
    counts: [u64; 6],
    flags: [bool; 4],
    waits_for: usize,
    reason: Option<Arc<str>>,
    last_error: Option<Arc<str>>,
    schedule: String,
    #[cfg(feature = "queue")]
    queue: Option<tina4_service::QueueInfo>,
    times: Times,
}

/// Instants, each of which is the same if it is almost the same.
struct Times([Option<SystemTime>; 2]);

impl PartialEq for Times {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |pair: (&Option<SystemTime>, &Option<SystemTime>)| match pair {
            (Some(a), Some(b)) => {
                let apart = a.duration_since(*b).unwrap_or_else(|earlier| earlier.duration());
                apart <= SAME_INSTANT
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.0.iter().zip(&other.0).all(is_same)
    }
}

impl Seen {
    fn of(service: &ServiceInfo) -> Self {
        Self {
            state: service.state,
            counts: [
                service.runs,
                service.succeeded,
                service.crashes,
                service.restarts,
                service.skipped,
                u64::from(service.crashes_in_a_row),
            ],
            flags: [
                service.ready,
                service.stuck,
                service.overdue.is_some(),
                service.last_outcome.is_some(),
            ],
            waits_for: service.waits_for.len(),
            reason: service.reason.clone(),
            last_error: service.last_error.clone(),
            schedule: service.schedule.to_string(),
            #[cfg(feature = "queue")]
            queue: service.queue.map(|mut queue| {
                if let Some(backlog) = &mut queue.backlog {
                    backlog.oldest_ready = None;
                }
                queue
            }),
            times: Times([Some(service.since), service.next_due]),
        }
    }
}

impl Board {
    /// The changes since the last call.
    pub(super) fn update(&mut self, services: &[ServiceInfo]) -> Update {
        let mut update = Update::default();
        for service in services {
            let seen = Seen::of(service);
            match self.seen.get_mut(&*service.name) {
                Some(before) if *before == seen => {}
                Some(before) => {
                    *before = seen;
                    update.add(service);
                }
                None => {
                    self.seen.insert(service.name.clone().into_owned(), seen);
                    update.add(service);
                }
            }
        }
        if self.seen.len() > services.len() {
            let names: HashSet<&str> = services.iter().map(|service| &*service.name).collect();
            self.seen.retain(|name, _| {
                let stays = names.contains(&**name);
                if !stays {
                    update.gone.push(name.clone());
                }
                stays
            });
            update.gone.sort_unstable();
        }
        update
    }

    /// The blocks of an update for a client that wants to hear of these services; empty: of all. None if nothing has changed.
    pub(super) fn blocks(&mut self, update: &Update, names: &HashSet<String>) -> Vec<Arc<[u8]>> {
        #[derive(Serialize)]
        struct Data<'a> {
            schema: u32,
            services: Vec<&'a serde_json::value::RawValue>,
            gone: &'a [&'a str],
        }
        let is_wanted = |name: &String| names.is_empty() || names.contains(name);
        let services: Vec<_> = update
            .services
            .iter()
            .filter(|(name, _)| is_wanted(name))
            .map(|(_, service)| &**service)
            .collect();
        let gone: Vec<&str> =
            update.gone.iter().filter(|name| is_wanted(name)).map(|name| &**name).collect();
        let mut blocks = Vec::new();
        let mut chunks = services.chunks(MAX_PER_BLOCK);
        let is_empty = services.is_empty() && gone.is_empty();
        if is_empty && !update.is_list {
            return blocks;
        }
        let mut first = true;
        loop {
            let chunk = chunks.next();
            if chunk.is_none() && !first {
                return blocks;
            }
            let services = chunk.unwrap_or_default().to_vec();
            let data = Data { schema: SCHEMA, services, gone: if first { &gone } else { &[] } };
            let data = serde_json::to_string(&data).unwrap_or_default();
            self.id += 1;
            let retry = if update.is_list && first { "retry: 3000\n" } else { "" };
            let block = format!("{retry}id: {}\nevent: services\ndata: {data}\n\n", self.id);
            blocks.push(Arc::from(block.into_bytes()));
            first = false;
        }
    }
}

impl Update {
    /// The list of all services, for a client that has just come.
    pub(super) fn list(services: &[ServiceInfo]) -> Self {
        let mut update = Self { is_list: true, ..Self::default() };
        services.iter().for_each(|service| update.add(service));
        update
    }

    fn add(&mut self, service: &ServiceInfo) {
        if let Ok(json) = serde_json::value::to_raw_value(service) {
            self.services.push((service.name.clone().into_owned(), json));
        }
    }
}
