//! Measures every pair in a process of its own, all pairs in every round.

use std::env;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use chrono::Utc;

use crate::measure::{Effort, Measure};
use crate::report::{self, Results};
use crate::rival::Rival;
use crate::{machine, measures, rivals};

/// The default number of rounds.
pub(crate) const DEFAULT: usize = 5;

/// The options of `peers all`.
pub(crate) struct Options {
    rounds: usize,
    effort: Effort,
    rivals: Vec<&'static dyn Rival>,
    measures: Vec<&'static dyn Measure>,
}

impl Options {
    pub(crate) fn read(options: &[&str]) -> Result<Self, String> {
        let (mut rounds, mut effort) = (None, Effort::Full);
        let (mut rivals, mut measures) = (Vec::new(), Vec::new());
        let mut options = options.iter().copied();
        while let Some(option) = options.next() {
            let mut value = || options.next().ok_or(format!("`{option}` needs a value"));
            match option {
                "--quick" => effort = Effort::Quick,
                "--rounds" => rounds = Some(read_rounds(value()?)?),
                "--rival" => {
                    let name = value()?;
                    let rival = rivals::ALL.into_iter().find(|rival| rival.name() == name);
                    rivals.push(rival.ok_or_else(|| format!("unknown rival `{name}`"))?);
                }
                "--measure" => {
                    let name = value()?;
                    let known = measures.len();
                    measures
                        .extend(measures::ALL.into_iter().filter(|it| it.name().starts_with(name)));
                    if measures.len() == known {
                        return Err(format!("unknown measure `{name}`"));
                    }
                }
                _ => return Err(format!("unknown option `{option}`")),
            }
        }
        if rivals.is_empty() {
            rivals = rivals::ALL.to_vec();
        }
        if measures.is_empty() {
            measures = measures::ALL.to_vec();
        }
        let rounds = rounds.unwrap_or(effort.pick(DEFAULT, 1));
        Ok(Self { rounds, effort, rivals, measures })
    }
}

pub(crate) fn read_rounds(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("`--rounds` needs a number, not `{text}`"))
}

/// Measures the selected pairs and prints the tables.
pub(crate) fn all(options: &Options) -> Result<(), String> {
    let start = Instant::now();
    let mut results = Results::default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}, {} s", round + 1, options.rounds, start.elapsed().as_secs());
        // Each round starts with another rival.
        let mut rivals = options.rivals.clone();
        rivals.rotate_left(round % options.rivals.len());
        let (counted, timed): (Vec<&dyn Measure>, Vec<&dyn Measure>) =
            options.measures.iter().partition(|measure| measure.can_share_the_machine());
        for measure in timed {
            for rival in &rivals {
                results.add(finish(begin(*rival, measure, options.effort)?)?);
            }
        }
        // These count events and do not measure speed, so they may run side by side.
        let mut running = Vec::new();
        for measure in counted {
            for rival in &rivals {
                running.push(begin(*rival, measure, options.effort)?);
            }
        }
        for process in running {
            results.add(finish(process)?);
        }
    }
    println!("# Figures\n");
    println!("Printed by `peers all`. The [README](README.md) describes the method.");
    println!("In brackets: the ratio to the figure of this crate.\n");
    println!("{}, {}.\n", Utc::now().date_naive(), machine::describe());
    let rounds = if options.rounds == 1 { "One round" } else { "Medians of the rounds" };
    println!("{rounds} ({}), {} s.\n", options.rounds, start.elapsed().as_secs());
    for measure in &options.measures {
        print!("{}", report::table(*measure, &options.rivals, &results));
    }
    Ok(())
}

struct Process {
    rival: &'static dyn Rival,
    measure: &'static dyn Measure,
    child: Child,
}

fn begin(
    rival: &'static dyn Rival,
    measure: &'static dyn Measure,
    effort: Effort,
) -> Result<Process, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["measure", rival.name(), measure.name()]);
    if effort == Effort::Quick {
        command.arg("--quick");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| error.to_string())?;
    Ok(Process { rival, measure, child })
}

/// The line that the process printed, or its exit status if it printed none.
fn finish(process: Process) -> Result<report::Line, String> {
    let Process { rival, measure, child } = process;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = report::Line::read(rival, measure, text.trim());
    Ok(line.unwrap_or_else(|| report::Line::missing(rival, measure, &output.status.to_string())))
}
