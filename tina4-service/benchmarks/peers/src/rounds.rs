//! Measures every pair in a separate process, all pairs in every round.

use std::env;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use chrono::Utc;

use crate::metric::{Effort, Metric};
use crate::peer::Peer;
use crate::report::{self, Results};
use crate::{machine, metrics, peers};

/// The default number of rounds.
pub(crate) const DEFAULT: usize = 5;

/// The options of `peers all`.
pub(crate) struct Options {
    rounds: usize,
    effort: Effort,
    peers: Vec<&'static dyn Peer>,
    metrics: Vec<&'static dyn Metric>,
}

impl Options {
    pub(crate) fn read(options: &[&str]) -> Result<Self, String> {
        let (mut rounds, mut effort) = (None, Effort::Full);
        let (mut peers, mut metrics) = (Vec::new(), Vec::new());
        let mut options = options.iter().copied();
        while let Some(option) = options.next() {
            let mut value = || options.next().ok_or(format!("`{option}` needs a value"));
            match option {
                "--quick" => effort = Effort::Quick,
                "--rounds" => rounds = Some(read_rounds(value()?)?),
                "--peer" => {
                    let name = value()?;
                    let peer = peers::ALL.into_iter().find(|peer| peer.name() == name);
                    peers.push(peer.ok_or_else(|| format!("unknown peer `{name}`"))?);
                }
                "--metric" => {
                    let name = value()?;
                    let before = metrics.len();
                    metrics
                        .extend(metrics::ALL.into_iter().filter(|it| it.name().starts_with(name)));
                    if metrics.len() == before {
                        return Err(format!("unknown metric `{name}`"));
                    }
                }
                _ => return Err(format!("unknown option `{option}`")),
            }
        }
        if peers.is_empty() {
            peers = peers::ALL.to_vec();
        }
        if metrics.is_empty() {
            metrics = metrics::ALL.to_vec();
        }
        let rounds = rounds.unwrap_or(effort.pick(DEFAULT, 1));
        Ok(Self { rounds, effort, peers, metrics })
    }
}

pub(crate) fn read_rounds(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("`--rounds` needs a positive whole number, not `{text}`"))
}

/// Measures the selected pairs and prints the tables.
pub(crate) fn all(options: &Options) -> Result<(), String> {
    let start = Instant::now();
    let mut results = Results::default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}, {} s", round + 1, options.rounds, start.elapsed().as_secs());
        // Each round starts with a different peer.
        let mut peers = options.peers.clone();
        peers.rotate_left(round % options.peers.len());
        let (counted, timed): (Vec<&dyn Metric>, Vec<&dyn Metric>) =
            options.metrics.iter().partition(|metric| metric.can_share_the_machine());
        for metric in timed {
            for peer in &peers {
                results.add(finish(begin(*peer, metric, options.effort)?)?);
            }
        }
        // These do not measure speed, so they may run side by side.
        let mut running = Vec::new();
        for metric in counted {
            for peer in &peers {
                running.push(begin(*peer, metric, options.effort)?);
            }
        }
        for process in running {
            results.add(finish(process)?);
        }
    }
    println!("# Figures\n");
    println!("Printed by `peers all`. The [README](README.md) describes the method.");
    println!("In brackets: the ratio to the figure of this crate; n/a: not available.\n");
    println!("{}, {}.\n", Utc::now().date_naive(), machine::describe());
    let rounds = match options.rounds {
        1 => "One round".to_owned(),
        count => format!("Medians of {count} rounds"),
    };
    println!("{rounds}; the whole measurement took {} s.\n", start.elapsed().as_secs());
    for metric in &options.metrics {
        print!("{}", report::table(*metric, &options.peers, &results));
    }
    Ok(())
}

struct Process {
    peer: &'static dyn Peer,
    metric: &'static dyn Metric,
    child: Child,
}

fn begin(
    peer: &'static dyn Peer,
    metric: &'static dyn Metric,
    effort: Effort,
) -> Result<Process, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["measure", peer.name(), metric.name()]);
    if effort == Effort::Quick {
        command.arg("--quick");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| error.to_string())?;
    Ok(Process { peer, metric, child })
}

/// The line that the process printed, or its exit status if it printed none.
fn finish(process: Process) -> Result<report::Line, String> {
    let Process { peer, metric, child } = process;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = report::Line::read(peer, metric, text.trim());
    Ok(line.unwrap_or_else(|| report::Line::missing(peer, metric, &output.status.to_string())))
}
