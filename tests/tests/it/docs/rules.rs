//! `RULES.md`, the table of the rules: every rule has a proof, every proof is a test that exists,
//! and every test that names a rule stands in the row of that rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tests::sources;
use tests::sources::workspace;

/// The numbers of the rules, section by section.
const RULES: [std::ops::RangeInclusive<u32>; 9] =
    [1..=9, 20..=28, 30..=33, 40..=47, 50..=52, 60..=63, 70..=70, 80..=82, 84..=84];

/// Where tests are.
const PACKAGES: [&str; 5] =
    ["tina4-service", "tina4-service-macros", "examples", "tests", "ui-tests"];

/// One line of the table.
struct Row {
    rule: u32,
    says: String,
    /// `path::test`, or the path of a case of `ui-tests`.
    proofs: Vec<String>,
}

/// The rows of a text: lines of a table that begin with a number.
fn rows(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let rule = cells.next()?.parse().ok()?;
        let says = cells.next()?.to_owned();
        let proofs = cells.next()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some(Row { rule, says, proofs })
    };
    text.lines().filter_map(row).collect()
}

/// The tests of a source: the functions behind `#[test]`.
fn tests_of(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while lines.any(|line| line == "#[test]") {
        let function = lines.find_map(|line| line.split_once("fn "));
        let name = function.map(|(_, rest)| rest.split(|c: char| c != '_' && !c.is_alphanumeric()));
        found.extend(name.and_then(|mut words| words.next()));
    }
    found
}

/// The rules that a test names: `rule_5_..`, `rule_5_and_6_..`, `rule_5_43_and_62_..`.
fn named(test: &str) -> Vec<u32> {
    let Some((_, numbers)) = test.split_once("rule_") else { return Vec::new() };
    let mut words = numbers.split('_');
    let mut rules: Vec<u32> = words.next().and_then(|word| word.parse().ok()).into_iter().collect();
    let mut more = Vec::new();
    while let Some(word) = words.next() {
        match word.parse() {
            Ok(number) => more.push(number),
            // What was listed so far belongs together, for the list ends as lists do.
            Err(_) if word == "and" => {
                if let Some(last) = words.next().and_then(|word| word.parse().ok()) {
                    rules.append(&mut more);
                    rules.push(last);
                }
                break;
            }
            Err(_) => break,
        }
    }
    rules
}

#[test]
fn the_rules_that_a_test_names() {
    for (test, rules) in [
        ("rule_5_missed_runs_are_skipped", &[5][..]),
        ("rule_20_and_62_a_crash_is_a_warning", &[20, 62]),
        ("rule_5_43_62_and_63_skips_and_stuck", &[5, 43, 62, 63]),
        ("rule_50_99_that_block_do_not_delay_another", &[50]),
        ("rule_7_and_section_3_the_crate_agrees", &[7]),
        ("rule_20_restarts_are_1_2_4_8_and_16_seconds_apart", &[20]),
        ("the_words_of_rule_61", &[61]),
        ("a_rule_of_thumb", &[]),
    ] {
        assert_eq!(named(test), rules, "{test}");
    }
}

#[test]
fn every_rule_has_a_proof_and_every_test_that_names_a_rule_is_one() {
    let table = fs::read_to_string(workspace().join("tests/RULES.md")).expect("the table");
    let rows = rows(&table);
    let numbers: Vec<u32> = rows.iter().map(|row| row.rule).collect();
    assert_eq!(
        numbers,
        RULES.into_iter().flatten().collect::<Vec<_>>(),
        "a row for each, in order"
    );

    let sources: BTreeMap<String, String> = PACKAGES.into_iter().flat_map(sources).collect();
    let exists = |proof: &str| match proof.split_once("::") {
        Some((path, test)) => sources.get(path).is_some_and(|text| tests_of(text).contains(&test)),
        None => proof.starts_with("ui-tests/") && sources.contains_key(proof),
    };
    let mut faults = Vec::new();
    for Row { rule, says, proofs } in &rows {
        if says.is_empty() || proofs.is_empty() {
            faults.push(format!("rule {rule} has no words or no proof"));
        }
        let missing = proofs.iter().filter(|proof| !exists(proof));
        faults.extend(missing.map(|proof| format!("rule {rule}: there is no test `{proof}`")));
        if proofs.iter().collect::<BTreeSet<_>>().len() < proofs.len() {
            faults.push(format!("rule {rule} has a proof twice"));
        }
    }
    for (path, text) in &sources {
        for test in tests_of(text) {
            let proof = format!("{path}::{test}");
            for rule in named(test) {
                let row = rows.iter().find(|row| row.rule == rule);
                if !row.is_some_and(|row| row.proofs.contains(&proof)) {
                    faults.push(format!("rule {rule}: add `{proof}`"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "tests/RULES.md:\n{}", faults.join("\n"));
}
