//! The README's programs, built in a package of their own with only the dependencies that the
//! README lists. Doctests compile them, too, but with every dependency of the crate, and they
//! report no warnings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::Child;
use tests::sources::workspace;

/// A fenced block.
struct Block {
    language: String,
    text: String,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let parts: Vec<_> = markdown.split("```").collect();
    let block = |part: &&str| {
        let (language, text) = part.split_once('\n').expect("a block begins with its language");
        Block { language: language.to_owned(), text: text.to_owned() }
    };
    parts.iter().skip(1).step_by(2).map(block).collect()
}

/// Writes a package of the README's programs: the first is `main.rs`, the others are in `src/bin`
/// or, if they are tests, in `tests`.
fn package(blocks: &[Block]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    // Not the directory itself, which keeps earlier builds.
    for old in ["src", "tests"] {
        let _ = fs::remove_dir_all(dir.join(old));
    }
    for new in ["src/bin", "tests"] {
        fs::create_dir_all(dir.join(new)).unwrap();
    }
    let dependencies: String =
        blocks.iter().filter(|block| block.language == "toml").map(|block| &*block.text).collect();
    let path = workspace().join("tina4-service");
    let manifest = format!(
        "[package]\nname = \"readme\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{dependencies}\n\
         # Not yet published.\n[patch.crates-io]\ntina4-service = {{ path = {path:?} }}\n\n[workspace]\n"
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    // The same versions as in the other tests.
    fs::copy(workspace().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let programs = blocks.iter().filter(|block| block.language.starts_with("rust"));
    for (number, Block { language, text }) in programs.enumerate() {
        let file = match number {
            0 => "src/main.rs".to_owned(),
            _ if language.contains("test_harness") => format!("tests/readme_{number}.rs"),
            _ => format!("src/bin/readme_{number}.rs"),
        };
        fs::write(dir.join(file), text).unwrap();
    }
    dir
}

/// Runs cargo in the package; it must succeed without a warning.
fn cargo(dir: &Path, arguments: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).args(["--offline", "--target-dir", "target"]).current_dir(dir);
    let output = cargo.output().expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("warning"), "{arguments:?}: {text}");
}

#[test]
fn the_programs_of_the_readme_build_with_its_dependencies_and_print_what_it_shows() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let blocks = blocks(&readme);
    assert!(blocks[0].language == "toml" && blocks[1].language.starts_with("rust"));
    let dir = package(&blocks);
    cargo(&dir, &["build"]);
    let program = dir.join("target/debug/readme").with_extension(std::env::consts::EXE_EXTENSION);
    let mut child = Child::start(program.to_str().unwrap(), &[]);
    let printed: Vec<_> = blocks[2].text.lines().collect();
    let [alive, pushed, flushed, report] = printed[..] else { panic!("{printed:?}") };
    // Two services run in parallel, so either line may come first.
    child.wait_for_lines(&[alive, pushed]);
    #[cfg(unix)]
    {
        child.signal(nix::sys::signal::Signal::SIGINT);
        let mut ended = child.wait();
        ended.out[..2].sort_unstable();
        let mut out = [alive, pushed, flushed].map(str::to_owned);
        out[..2].sort_unstable();
        assert_eq!((ended.code(), &ended.out[..]), (0, &out[..]));
        let without_time = |line: &str| {
            let (start, end) = line.split_once(" in ").expect("the duration");
            (start.to_owned(), end.split_once(',').map(|(_, end)| end.to_owned()))
        };
        assert_eq!(without_time(ended.err.trim_end()), without_time(report));
    }
    #[cfg(not(unix))]
    let _ = (flushed, report);
    // The other programs are short and check themselves.
    let others = blocks.iter().filter(|block| block.language.starts_with("rust")).count() - 1;
    let bins = fs::read_dir(dir.join("src/bin")).unwrap().flatten();
    let names: Vec<_> =
        bins.map(|bin| bin.path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(!names.is_empty() && names.len() < others, "programs and tests: {names:?}");
    for name in names {
        let program = dir.join("target/debug").join(&name);
        let program = program.with_extension(std::env::consts::EXE_EXTENSION);
        let ended = Child::start(program.to_str().unwrap(), &[]).wait();
        assert_eq!(ended.code(), 0, "{name}: {ended:?}");
    }
    cargo(&dir, &["test", "--tests"]);
}
