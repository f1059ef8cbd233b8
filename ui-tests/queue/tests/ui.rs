//! Compiles every case of `fail/` and `pass/`.

use std::process::Command;

/// The compiler whose messages the `.stderr` files record.
const TOOLCHAIN: &str = "rustc 1.95.";

#[test]
fn rule_82_the_compiler_reports_every_mistake_as_recorded() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    let found = rustc_version();
    if found.starts_with(TOOLCHAIN) {
        cases.compile_fail("fail/*.rs");
    } else {
        let skipped = format!(
            "the cases that must fail are recorded with {TOOLCHAIN}x, found {found}; run `rustup run 1.95 cargo test -p ui-tests-queue`"
        );
        assert!(std::env::var_os("CI").is_none(), "{skipped}");
        println!("skipped: {skipped}");
    }
}

fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// One mistake is one error. These are the only exceptions.
#[test]
fn rule_82_only_these_cases_have_more_than_one_error() {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("fail").expect("the directory of the cases") {
        let path = entry.expect("a readable case").path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let errors = text.lines().filter(|line| line.starts_with("error")).count();
            if errors != 1 {
                let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
                found.push((name, errors));
            }
        }
    }
    found.sort();
    let expected = [("queue-many-faults", 6)];
    let found: Vec<_> = found.iter().map(|(name, errors)| (name.as_str(), *errors)).collect();
    assert_eq!(found, expected);
}
