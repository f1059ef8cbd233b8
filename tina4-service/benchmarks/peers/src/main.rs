//! Measures this crate and what a user could take instead, side by side. What is measured, how, and
//! what came out: `../README.md`.
//!
//! ```text
//! cargo run --release -- all --rounds 5
//! ```
// Not `forbid`: the attribute of `service-daemon` allows it for what it generates.
#![deny(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;
use std::{env, process, thread};

mod machine;
mod measure;
mod measures;
mod record;
mod report;
mod rival;
mod rivals;
mod rounds;
mod usage;
mod weigh;

use measure::Effort;
use rival::Cannot;
use rounds::Choice;

const USAGE: &str = "\
peers all [--rounds 5] [--quick] [--rival NAME].. [--measure NAME]..
    measures every pair in a process of its own, round after round, and prints tables
peers measure RIVAL MEASURE [--quick]
    measures one pair in this process, and prints one line of JSON
peers weigh [--rounds 5]
    builds a program with one service for each rival: dependencies, time, size
peers list
    the rivals and the measures; --measure takes the beginning of a name as well";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match command(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn command(arguments: &[&str]) -> Result<(), String> {
    match arguments {
        ["all", options @ ..] => rounds::all(&Choice::read(options)?),
        ["measure", rival, measure] => one(rival, measure, Effort::Full),
        ["measure", rival, measure, "--quick"] => one(rival, measure, Effort::Quick),
        ["weigh"] => weigh::all(rounds::DEFAULT),
        ["weigh", "--rounds", count] => weigh::all(rounds::read_rounds(count)?),
        ["list"] => {
            list();
            Ok(())
        }
        _ => Err("what to do?".to_owned()),
    }
}

/// What takes longer has hung.
const LIMIT: Duration = Duration::from_secs(90);

/// Measures one pair. The process ends with it: what was started need not be cleared away.
fn one(rival: &str, measure: &str, effort: Effort) -> Result<(), String> {
    let known = rivals::ALL.into_iter().find(|known| known.name() == rival);
    let rival = known.ok_or_else(|| format!("no rival `{rival}`"))?;
    let known = measures::ALL.into_iter().find(|known| known.name() == measure);
    let measure = known.ok_or_else(|| format!("no measure `{measure}`"))?;
    thread::spawn(move || {
        thread::sleep(LIMIT);
        let hung = Cannot(format!("not done after {} s", LIMIT.as_secs()));
        println!("{}", report::line(rival, measure, &Err(hung)));
        process::exit(0)
    });
    println!("{}", report::line(rival, measure, &measure.run(rival, effort)));
    process::exit(0)
}

fn list() {
    for rival in rivals::ALL {
        println!("{:22} {}", rival.name(), rival.about());
    }
    println!();
    for measure in measures::ALL {
        println!("{:22} {}", measure.name(), measure.title());
    }
}
