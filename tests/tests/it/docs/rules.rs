//! `RULES.md` and the tests agree: every rule has a test, and every number in the name of a test is
//! the number of a rule.

use tests::rules::{Index, Rule, numbers_in_comments, numbers_in_name, rules_in, tests_in};
use tests::{Child, sources};

#[test]
fn the_numbers_in_the_name_of_a_test() {
    for (test, rules) in [
        ("rule_5_missed_runs_are_skipped", &[5][..]),
        ("rule_20_and_62_a_crash_is_a_warning", &[20, 62]),
        ("rule_5_43_62_and_63_skips_and_stuck", &[5, 43, 62, 63]),
        ("rule_50_99_that_block_do_not_delay_another", &[50]),
        ("rule_7_and_160_the_crate_agrees", &[7, 160]),
        ("rule_20_restarts_are_1_2_4_8_and_16_seconds_apart", &[20]),
        ("the_words_of_rule_61", &[61]),
        ("a_rule_of_thumb", &[]),
    ] {
        assert_eq!(numbers_in_name(test), rules, "{test}");
    }
}

#[test]
fn the_numbers_in_the_comments_of_a_case() {
    for (source, rules) in [
        ("fn main() {}\n\n// rule 23\n", &[23][..]),
        ("// rules 23, 157\nfn main() {}\n", &[23, 157]),
        ("// rules\n// a rule of thumb\n// rule x\nfn main() {}\n", &[]),
    ] {
        assert_eq!(numbers_in_comments(source), rules, "{source}");
    }
}

#[test]
fn the_rules_in_a_text() {
    let text = "# Rules\n\n## Time\n\n**1. Fixed rate.** It is\nfixed.\n\n**Bold** text.\n\n**9. `Flow`.** Moves.\n";
    let rule =
        |number, title: &str, text: &str| Rule { number, title: title.into(), text: text.into() };
    assert_eq!(
        rules_in(text),
        [rule(1, "Fixed rate", "It is\nfixed."), rule(9, "`Flow`", "Moves.")]
    );
}

#[test]
fn the_tests_in_a_source() {
    let source = "#[test]\nfn one() {}\n\nfn helper() {}\n\n    #[test]\n    #[should_panic]\n    fn two_2() {}\n";
    assert_eq!(tests_in(source), ["one", "two_2"]);
    let both = "both_kinds! {\n    one,\n    two_2,\n}\n\nfn one(kind: Kind) {}\n\n#[test]\nfn three() {}\n";
    assert_eq!(tests_in(both), ["one", "two_2", "three"]);
}

#[test]
fn every_rule_has_a_test_and_every_number_is_the_number_of_a_rule() {
    let faults = Index::read().faults();
    assert!(faults.is_empty(), "tests/RULES.md:\n{}", faults.join("\n"));
}

#[test]
fn every_case_of_ui_tests_names_a_rule() {
    for dir in [
        "ui-tests/fail",
        "ui-tests/pass",
        "ui-tests/tokio/fail",
        "ui-tests/tokio/pass",
        "ui-tests/queue/fail",
        "ui-tests/queue/pass",
    ] {
        for (path, source) in sources(dir) {
            assert!(!numbers_in_comments(&source).is_empty(), "add `// rule ..` to {path}");
        }
    }
}

/// Planted faults show that the check above finds them.
#[test]
fn rules_without_a_test_and_numbers_without_a_rule_are_faults() {
    let read = Index::read();
    for (wrong, words) in [
        (Index { rules: Vec::new(), ..read.clone() }, "there are no rules"),
        (
            {
                let mut wrong = read.clone();
                wrong.tests.remove(&44);
                wrong
            },
            "rule 44 has no test",
        ),
        (
            {
                let mut wrong = read.clone();
                wrong.tests.insert(999, vec!["a.rs::rule_999_nothing".to_owned()]);
                wrong
            },
            "a.rs::rule_999_nothing names rule 999, which does not exist",
        ),
        (
            {
                let mut wrong = read.clone();
                wrong.rules.swap(0, 1);
                wrong
            },
            "rule 1 follows rule 2",
        ),
        (
            {
                let mut wrong = read;
                wrong.rules[0].text.clear();
                wrong
            },
            "rule 1 has no title or no text",
        ),
    ] {
        let faults = wrong.faults();
        assert!(faults.iter().any(|fault| fault.starts_with(words)), "`{words}`: {faults:#?}");
    }
}

#[test]
fn the_printed_index_is_the_one_that_is_checked() {
    let ended = Child::start(env!("CARGO_BIN_EXE_rules"), &[]).wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out, Index::read().to_string().lines().collect::<Vec<_>>());
    let index = ended.out.join("\n");
    assert!(index.contains("44. Stop signals\n    "), "{index}");
}
