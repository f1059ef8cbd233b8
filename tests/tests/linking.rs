//! Rules 31 and 80: services are found in every kind of build. Rule 25: with `panic = "abort"` the
//! runner warns when it starts.
//!
//! Link-time optimization and the linker's `--gc-sections`, which rustc passes in every build,
//! remove everything that is not referenced. Services are not referenced, so this test builds the
//! small programs in `linking/` with every setting, in a separate target directory. Tests and
//! doctests need no special build: the tests of those programs cover them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tests::Stopwatch;

/// The services of the program, of its library, and of a crate that it only imports.
const ALL: [&str; 6] = [
    "deep_in_the_library",
    "deep_in_the_program",
    "in_another_crate",
    "in_the_library",
    "in_the_program",
    "inside_main",
];

/// The first line of the program if it is built with `panic = "abort"`.
const ABORTS: &str = "message: this program is built with `panic = \"abort\"`, so a service that panics ends it; \
    build with `panic = \"unwind\"` to have the service restarted";

/// The kinds of build, as settings of the `release` profile.
const BUILDS: [(&str, &[&str]); 3] = [
    ("fat LTO, many codegen units", &["lto = 'fat'", "codegen-units = 16"]),
    (
        "fat LTO, one codegen unit, abort, stripped",
        &["lto = 'fat'", "codegen-units = 1", "panic = 'abort'", "strip = 'symbols'"],
    ),
    ("unoptimized", &["lto = 'off'", "codegen-units = 256", "opt-level = 0", "incremental = true"]),
];

/// Builds the programs with these settings and returns their directory.
fn build(settings: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("linking");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--offline", "--package", "linking-program"]);
    cargo.args(["--bins", "--examples", "--target-dir"]).arg(&target);
    for setting in settings {
        cargo.arg("--config").arg(format!("profile.release.{setting}"));
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{settings:?}: {}", String::from_utf8_lossy(&output.stderr));
    target.join("release")
}

fn run(program: &Path) -> Output {
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    Command::new(&program).output().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// The lines a program prints.
fn lines(program: &Path) -> Vec<String> {
    let output = run(program);
    assert!(output.status.success(), "{}: {output:?}", program.display());
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn rule_25_31_and_80_services_are_found_in_every_kind_of_build() {
    for (name, settings) in BUILDS {
        let stopwatch = Stopwatch::start();
        let dir = build(settings);
        let aborts = settings.contains(&"panic = 'abort'");
        let expected = [if aborts { &[ABORTS][..] } else { &[] }, &ALL[..]].concat();
        assert_eq!(lines(&dir.join("linking-program")), expected, "{name}");
        let in_the_example = ["in_another_crate", "in_the_example"];
        assert_eq!(lines(&dir.join("examples/example")), in_the_example, "{name}");
        assert_nothing_found(&dir.join("unlinked"));
        // Printed by `cargo test -- --nocapture`.
        println!("{name}: {:?}", stopwatch.elapsed());
    }
}

/// Rule 31: a crate that is not imported is not linked, and the error says what to write.
fn assert_nothing_found(program: &Path) {
    let output = run(program);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    for part in
        ["no service was found", "separate crate that nothing refers to", "use my_services as _;"]
    {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}
