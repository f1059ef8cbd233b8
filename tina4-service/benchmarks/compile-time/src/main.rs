//! Measures `cargo check` of a crate with 500 services, compared with the same 500 functions without
//! the attribute. `../../README.md` describes the method and the results.
//!
//! ```text
//! cargo run --manifest-path tina4-service/benchmarks/compile-time/Cargo.toml --target-dir target
//! ```
//!
//! An optional argument sets the number of rounds; the default is 9.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

mod generate;

use generate::{Bodies, Functions};

/// The default number of rounds; odd, so that the median is a measured value.
const ROUNDS: usize = 9;

/// The crates, in the order in which a round checks them.
const CRATES: [(Bodies, Functions); 6] = [
    (Bodies::Empty, Functions::Plain),
    (Bodies::Empty, Functions::Registered),
    (Bodies::Empty, Functions::Services),
    (Bodies::Usual, Functions::Plain),
    (Bodies::Usual, Functions::Registered),
    (Bodies::Usual, Functions::Services),
];

fn main() {
    let rounds = env::args().nth(1).map_or(ROUNDS, |text| text.parse().expect("a number"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).expect("the workspace");
    let home = root.join("target/compile-time");
    generate::workspace(root, &home, &CRATES);
    // Builds the dependencies, so that the rounds do not.
    for (bodies, functions) in CRATES {
        check(&home, &generate::name(bodies, functions));
    }
    let mut times = CRATES.map(|_| Vec::new());
    for round in 1..=rounds {
        for ((bodies, functions), times) in CRATES.into_iter().zip(&mut times) {
            times.push(check(&home, &generate::name(bodies, functions)));
        }
        eprintln!("round {round} of {rounds}");
    }
    report(times);
}

/// Checks one crate as if its source had just changed.
fn check(home: &Path, name: &str) -> Duration {
    let source = home.join(name).join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("the source was generated");
    fs::write(&source, text).expect("the source can be written");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(home).args(["check", "--quiet", "--offline", "--package", name]);
    // Printing warnings would take time, and an incremental build would measure its cache.
    cargo.env("RUSTFLAGS", "-D warnings").env("CARGO_INCREMENTAL", "0");
    cargo.env("CARGO_TARGET_DIR", home.join("target"));
    #[expect(clippy::disallowed_methods, reason = "real time is what this measures")]
    let start = Instant::now();
    let status = cargo.status().expect("cargo runs");
    let took = start.elapsed();
    assert!(status.success(), "`{name}` does not compile");
    took
}

fn report(times: [Vec<Duration>; 6]) {
    println!("| crate | median | min to max | ratio |");
    println!("| --- | --- | --- | --- |");
    let mut plain = 1.0;
    for ((bodies, functions), mut times) in CRATES.into_iter().zip(times) {
        times.sort_unstable();
        let median = times[times.len() / 2].as_secs_f64();
        if functions == Functions::Plain {
            plain = median;
        }
        let (least, most) = (times[0].as_secs_f64(), times[times.len() - 1].as_secs_f64());
        let name = generate::name(bodies, functions);
        println!("| {name} | {median:.2} s | {least:.2} to {most:.2} s | {:.2} |", median / plain);
    }
}
