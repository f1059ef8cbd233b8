//! `CASES.md`, the table of the cases of other test suites, agrees with the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tests::rules::tests_in;

const TABLE: &str = include_str!("../../../CASES.md");

/// One line of a table of cases.
struct Row {
    /// The heading above its table.
    heading: &'static str,
    cases: Vec<&'static str>,
    answer: &'static str,
}

/// The texts between backticks.
fn quoted(text: &'static str) -> Vec<&'static str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut heading = None;
    for line in TABLE.lines() {
        if line.starts_with('#') {
            heading = line.strip_prefix("### ");
        } else if let (Some(heading), Some(row)) = (heading, line.strip_prefix("| ")) {
            let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
            let &[cases, _, answer] = &*cells else { panic!("three cells, not `{line}`") };
            if !matches!(cases, "case" | "---") {
                rows.push(Row { heading, cases: quoted(cases), answer });
            }
        }
    }
    rows
}

/// The tests that a row may name: their files and the names of their functions.
fn tests() -> BTreeSet<(PathBuf, String)> {
    let mut found = BTreeSet::new();
    for dir in ["tests/tests", "tina4-service", "tina4-service-macros", "ui-tests/tests"] {
        for (path, text) in tests::sources(dir) {
            for name in tests_in(&text) {
                found.insert((PathBuf::from(&path), name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_named_test_exists_and_every_case_has_an_answer() {
    let tests = tests();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for Row { heading, cases, answer } in rows() {
        assert!(!cases.is_empty(), "a line under `{heading}` names no case");
        let mut named = 0;
        for reference in quoted(answer) {
            if let Some((file, function)) = reference.split_once("::") {
                // Paths such as `Service::new` are not tests.
                if Path::new(file).extension().is_none() {
                    continue;
                }
                let count = tests
                    .iter()
                    .filter(|(path, name)| path.ends_with(file) && name == function)
                    .count();
                assert_eq!(count, 1, "`{reference}`, the answer to {cases:?}, in {heading}");
                named += 1;
            } else if reference.starts_with("ui-tests/") {
                assert!(workspace.join(reference).exists(), "`{reference}` in {heading}");
                named += 1;
            }
        }
        let has_none = answer.starts_with("none: ");
        assert_ne!(named > 0, has_none, "a test or a reason for {cases:?} in {heading}: {answer}");
    }
}

#[test]
fn every_heading_states_the_number_of_its_cases_and_no_case_appears_twice() {
    let mut under = BTreeMap::<_, Vec<_>>::new();
    for row in rows() {
        under.entry(row.heading).or_default().extend(row.cases);
    }
    assert_eq!(under.len(), TABLE.lines().filter(|line| line.starts_with("### ")).count());
    for (heading, cases) in under {
        let (_, count) = heading.trim_end_matches(')').rsplit_once(" (").expect("a count");
        assert_eq!(count.parse(), Ok(cases.len()), "{heading}");
        let once: BTreeSet<_> = cases.iter().collect();
        assert_eq!(once.len(), cases.len(), "a case appears twice under {heading}");
    }
}
