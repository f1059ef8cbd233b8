//! Compares async services with bare tokio interval tasks. See the README for the method.
//!
//! ```text
//! async-services [--rounds N] [METRIC..]     measures both kinds in turn, prints a table
//! async-services measure KIND METRIC         measures one kind, in this process
//! ```

use std::env;
use std::process::{Command, ExitCode, Stdio};

use crate::kind::Kind;
use crate::metric::Metric;

mod kind;
mod metric;
mod usage;

const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["measure", kind, metric] => measure(kind, metric),
        ["--rounds", rounds, ref metrics @ ..] => match rounds.parse() {
            Ok(rounds) if rounds > 0 => compare(rounds, metrics),
            Ok(_) | Err(_) => Err(format!("`--rounds` needs a positive number, not `{rounds}`")),
        },
        ref metrics => compare(ROUNDS, metrics),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures one kind, and prints its figures, separated by spaces.
fn measure(kind: &str, metric: &str) -> Result<(), String> {
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
    let kind = kind.ok_or("unknown kind; it is `service` or `tokio`")?;
    let figures: Vec<String> =
        find(metric)?.measure(kind).iter().map(|figure| format!("{figure:.3}")).collect();
    println!("{}", figures.join(" "));
    Ok(())
}

fn find(name: &str) -> Result<Metric, String> {
    let found = Metric::ALL.into_iter().find(|known| known.name() == name);
    found.ok_or_else(|| format!("unknown metric `{name}`"))
}

/// Measures both kinds in turn, each in a process of its own, and prints the medians.
fn compare(rounds: usize, names: &[&str]) -> Result<(), String> {
    let mut metrics = names.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    if metrics.is_empty() {
        metrics = Metric::ALL.to_vec();
    }
    println!("| metric | async services | tokio tasks | ratio | target |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for metric in metrics {
        let mut results = Kind::ALL.map(|_| vec![Vec::new(); metric.figures().len()]);
        for round in 0..rounds {
            // Each round starts with the other kind.
            for position in 0..Kind::ALL.len() {
                let kind = (round + position) % Kind::ALL.len();
                let figures = in_new_process(Kind::ALL[kind], metric)?;
                for (all, figure) in results[kind].iter_mut().zip(figures) {
                    all.push(figure);
                }
            }
        }
        let [services, tasks] = results;
        for ((figure, services), tasks) in metric.figures().iter().zip(services).zip(tasks) {
            let (service, task) = (median(services), median(tasks));
            let (title, target) = (figure.title, figure.target);
            println!("| {title} | {service:.3} | {task:.3} | {:.2} | {target} |", service / task);
        }
    }
    Ok(())
}

fn in_new_process(kind: Kind, metric: Metric) -> Result<Vec<f64>, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["measure", kind.name(), metric.name()]).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    if output.status.success() && figures.len() == metric.figures().len() {
        Ok(figures)
    } else {
        Err(format!("{} of {}: {}", metric.name(), kind.name(), output.status))
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 {
        figures[middle]
    } else {
        f64::midpoint(figures[middle - 1], figures[middle])
    }
}
