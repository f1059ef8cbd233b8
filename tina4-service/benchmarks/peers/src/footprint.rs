//! Dependencies, build time and size of a program with one service that prints `hello` every second.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{collections::BTreeSet, env};

use chrono::Utc;

use crate::machine;
use crate::report::median;

/// A program. Its dependencies are in its first lines, after `//:`.
struct Hello {
    name: &'static str,
    source: &'static str,
}

macro_rules! hello {
    ($($name:literal),* $(,)?) => {
        [$(Hello { name: $name, source: include_str!(concat!("../hello/", $name, ".rs")) }),*]
    };
}

const PROGRAMS: [Hello; 13] = hello![
    "tina4-service",
    "tina4-service-bare",
    "sleep-loop",
    "crossbeam-tick",
    "tokio-interval",
    "task-supervisor",
    "supervised",
    "ractor",
    "service-daemon",
    "tokio-cron-scheduler",
    "clokwerk",
    "cron_tab",
    "job_scheduler_ng",
];

/// Builds all programs, one after another, in every round, and prints a table.
pub(crate) fn all(rounds: usize) -> Result<(), String> {
    let mut builds = [const { Vec::new() }; PROGRAMS.len()];
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for (hello, took) in PROGRAMS.iter().zip(&mut builds) {
            let home = home(hello.name)?;
            write(&home, hello).map_err(|error| format!("{}: {error}", home.display()))?;
            // Downloads are not timed.
            cargo(&home, &["fetch", "--quiet"])?;
            let _ = fs::remove_dir_all(home.join("target"));
            let start = Instant::now();
            cargo(&home, &["build", "--release", "--quiet", "--offline"])?;
            took.push(start.elapsed().as_secs_f64());
        }
    }
    println!("{}, {}.\n", Utc::now().date_naive(), machine::describe());
    println!("Build times: medians of {rounds} rounds.\n");
    println!("| program | dependencies | clean release build | stripped size |");
    println!("| --- | ---: | ---: | ---: |");
    for (hello, took) in PROGRAMS.iter().zip(&mut builds) {
        let home = home(hello.name)?;
        let took = median(took).ok_or("nothing was built")?;
        let binary = home.join("target/release/hello");
        let size = fs::metadata(binary).map_err(|error| error.to_string())?.len() as f64 / 1e6;
        let dependencies = dependencies(&home)?;
        println!("| {} | {dependencies} | {took:.1} s | {size:.2} MB |", hello.name);
    }
    Ok(())
}

/// The directory in which a program is built: next to this executable.
fn home(name: &str) -> Result<PathBuf, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let dir = program.parent().ok_or("this program is in no directory")?;
    Ok(dir.join("footprint").join(name))
}

fn write(home: &Path, hello: &Hello) -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lines = hello.source.lines().map_while(|line| line.strip_prefix("//: "));
    let dependencies: Vec<String> =
        lines.map(|line| line.replace("$ROOT", &root.display().to_string())).collect();
    let manifest = format!(
        "[package]\nname = \"hello\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n\n\
         [profile.release]\nstrip = true\n",
        dependencies.join("\n")
    );
    fs::create_dir_all(home.join("src"))?;
    fs::write(home.join("Cargo.toml"), manifest)?;
    fs::write(home.join("src/main.rs"), hello.source)
}

/// The number of crates that are built for the program, without itself.
fn dependencies(home: &Path) -> Result<usize, String> {
    let edges = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let tree = cargo(home, &edges)?;
    let names: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|it| !it.is_empty())
        .collect();
    Ok(names.len() - 1)
}

/// Runs cargo and returns its output.
fn cargo(home: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(home).args(arguments).env("CARGO_TARGET_DIR", home.join("target"));
    let output = cargo.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
