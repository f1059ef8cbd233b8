//! Compares the queues of tina4-service with those of other libraries. See the README for the method.
//!
//! ```text
//! queues [--rounds N] [STORE | METRIC | PEER ..]
//! ```
//!
//! The environment has the addresses of the servers, as `.ci/servers` gives them.

use std::env;
use std::process::ExitCode;

use crate::durability::Durability;
use crate::metric::Metric;
use crate::peer::Peer;
use crate::results::Results;
use crate::store::Store;

mod durability;
mod metric;
mod peer;
mod program;
mod results;
mod store;

const ROUNDS: usize = 3;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The selection of measurements: empty lists mean everything.
struct Selection {
    rounds: usize,
    stores: Vec<Store>,
    metrics: Vec<Metric>,
    peers: Vec<Peer>,
}

impl Selection {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        let mut rounds = ROUNDS;
        if arguments.next_if_eq("--rounds").is_some() {
            let count = arguments.next().unwrap_or_default();
            rounds = count
                .parse()
                .ok()
                .filter(|rounds| *rounds > 0)
                .ok_or_else(|| format!("`--rounds` needs a positive number, not `{count}`"))?;
        }
        let mut all = Self { rounds, stores: Vec::new(), metrics: Vec::new(), peers: Vec::new() };
        for name in arguments {
            if let Some(store) = Store::ALL.into_iter().find(|known| known.name() == name) {
                all.stores.push(store);
            } else if let Some(metric) = Metric::ALL.into_iter().find(|known| known.name() == name)
            {
                all.metrics.push(metric);
            } else if let Some(peer) = Peer::ALL.into_iter().find(|known| known.name() == name) {
                all.peers.push(peer);
            } else {
                return Err(format!("`{name}` is no store, metric or peer"));
            }
        }
        Ok(all)
    }

    fn has<T: PartialEq>(some: &[T], one: &T) -> bool {
        some.is_empty() || some.contains(one)
    }
}

fn run() -> Result<(), String> {
    let selection = Selection::parse(env::args().skip(1))?;
    for store in Store::ALL {
        if Selection::has(&selection.stores, &store) {
            compare(store, &selection)?;
        }
    }
    Ok(())
}

/// Measures all peers of a store in turn, and prints their medians.
fn compare(store: Store, selection: &Selection) -> Result<(), String> {
    let mut programs = Vec::new();
    let mut left_out = Vec::new();
    for peer in Peer::ALL {
        let is_wanted = Selection::has(&selection.peers, &peer);
        if !is_wanted || !peer.stores().contains(&store) {
            continue;
        }
        match peer.prepare() {
            Ok(program) => programs.push((peer, program)),
            Err(error) => left_out.push((peer, error)),
        }
    }
    let mut results = Results::default();
    for round in 0..selection.rounds {
        for (durability, metric) in metric::all(&selection.metrics) {
            // Each round starts with another peer.
            for position in 0..programs.len() {
                let (peer, program) = &programs[(round + position) % programs.len()];
                let place = store.create(durability, metric)?;
                match program.measure(metric, durability, &place) {
                    Ok(figures) => {
                        eprintln!("{} {durability} {}: {figures:?}", peer.name(), metric.name());
                        results.add(*peer, durability, metric, figures);
                    }
                    Err(error) => {
                        eprintln!("{} {durability} {}: {error}", peer.name(), metric.name());
                    }
                }
            }
        }
    }
    let peers: Vec<Peer> = programs.iter().map(|(peer, _)| *peer).collect();
    for durability in Durability::ALL {
        results.print(store, durability, &peers);
    }
    for (peer, error) in left_out {
        println!("Left out: {}: {error}\n", peer.name());
    }
    Ok(())
}
