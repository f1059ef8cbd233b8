//! The rules of `RULES.md`, and the tests that check them: the name of a test contains the number
//! of its rule, and a case of `ui-tests` names it in a comment.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use crate::sources;
use crate::sources::workspace;

/// Where tests are.
const PACKAGES: [&str; 5] =
    ["tina4-service", "tina4-service-macros", "examples", "tests", "ui-tests"];

/// Rules that no test can check, and what checks them instead.
const CHECKED_ELSEWHERE: [(u32, &str); 1] = [(83, ".ci/macos, .ci/windows")];

/// One rule of `RULES.md`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its number, which is never used for another rule.
    pub number: u32,
    /// Its title, without the full stop.
    pub title: String,
    /// What it says.
    pub text: String,
}

/// The rules, and the tests and cases that name each of them.
#[derive(Clone, Debug)]
pub struct Index {
    /// In the order of `RULES.md`.
    pub rules: Vec<Rule>,
    /// `path::test`, or the path of a case, by the number of the rule.
    pub tests: BTreeMap<u32, Vec<String>>,
}

impl Index {
    /// Reads `RULES.md` and the sources of the workspace.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn read() -> Self {
        let text = fs::read_to_string(workspace().join("tests/RULES.md"));
        let mut tests = BTreeMap::<u32, Vec<String>>::new();
        for (path, source) in PACKAGES.into_iter().flat_map(sources) {
            for test in tests_in(&source) {
                for number in numbers_in_name(test) {
                    tests.entry(number).or_default().push(format!("{path}::{test}"));
                }
            }
            if path.starts_with("ui-tests/") {
                for number in numbers_in_comments(&source) {
                    tests.entry(number).or_default().push(path.clone());
                }
            }
        }
        for (number, test) in CHECKED_ELSEWHERE {
            tests.entry(number).or_default().push(test.to_owned());
        }
        Self { rules: rules_in(&text.expect("`RULES.md` can be read")), tests }
    }

    /// The faults: rules that are out of order, empty or without a test, and numbers without a
    /// rule.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.rules.is_empty() {
            faults.push("there are no rules".to_owned());
        }
        for pair in self.rules.windows(2) {
            if pair[0].number >= pair[1].number {
                faults.push(format!(
                    "rule {} follows rule {}; sort the rules by number",
                    pair[1].number, pair[0].number
                ));
            }
        }
        for Rule { number, title, text } in &self.rules {
            if title.is_empty() || text.is_empty() {
                faults.push(format!("rule {number} has no title or no text; write both"));
            }
            if !self.tests.contains_key(number) {
                faults.push(format!(
                    "rule {number} has no test; name a test `rule_{number}_..`, or write `// rule {number}` in a case of ui-tests"
                ));
            }
        }
        for (number, tests) in &self.tests {
            if !self.rules.iter().any(|rule| rule.number == *number) {
                faults.push(format!(
                    "{} names rule {number}, which does not exist; correct the number, or add the rule",
                    tests.join(", ")
                ));
            }
        }
        faults
    }
}

impl fmt::Display for Index {
    /// Each rule on a line, and below it the tests that check it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Rule { number, title, .. } in &self.rules {
            writeln!(f, "{number}. {title}")?;
            for test in self.tests.get(number).into_iter().flatten() {
                writeln!(f, "    {test}")?;
            }
        }
        Ok(())
    }
}

/// The rules in a text: paragraphs that begin with `**number. title.**`.
#[must_use]
pub fn rules_in(text: &str) -> Vec<Rule> {
    let rule = |paragraph: &str| {
        let (head, text) = paragraph.trim().strip_prefix("**")?.split_once("**")?;
        let (number, title) = head.split_once(". ")?;
        Some(Rule {
            number: number.parse().ok()?,
            title: title.trim_end_matches('.').to_owned(),
            text: text.trim().to_owned(),
        })
    };
    text.split("\n\n").filter_map(rule).collect()
}

/// The tests in a source: the functions after `#[test]`, and those that `both_kinds!` names, one a line.
#[must_use]
pub fn tests_in(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut lines = source.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[test]" {
            let function = lines.find_map(|line| line.split_once("fn "));
            let name =
                function.map(|(_, rest)| rest.split(|c: char| c != '_' && !c.is_alphanumeric()));
            found.extend(name.and_then(|mut words| words.next()));
        } else if line == "both_kinds! {" {
            let names = lines.by_ref().take_while(|line| *line != "}");
            found.extend(names.map(|name| name.trim_end_matches(',')));
        }
    }
    found
}

/// The rules in the name of a test: `rule_5_..`, `rule_5_and_6_..`,
/// `rule_5_43_and_62_..`.
#[must_use]
pub fn numbers_in_name(test: &str) -> Vec<u32> {
    let Some((_, numbers)) = test.split_once("rule_") else { return Vec::new() };
    let mut words = numbers.split('_');
    let mut rules: Vec<u32> = words.next().and_then(|word| word.parse().ok()).into_iter().collect();
    let mut more = Vec::new();
    while let Some(word) = words.next() {
        match word.parse() {
            Ok(number) => more.push(number),
            // Numbers form a list only if `and` precedes the last one; otherwise they belong to the
            // sentence.
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

/// The rules that a case of `ui-tests` names: lines such as `// rule 23` or `// rules 23, 157`.
#[must_use]
pub fn numbers_in_comments(source: &str) -> Vec<u32> {
    let numbers = |line: &str| {
        let rest = line.strip_prefix("// rule")?;
        Some(rest.trim_start_matches('s').split(',').map(str::trim).map(str::parse).collect())
    };
    let found = source.lines().filter_map(numbers).filter_map(Result::ok);
    found.collect::<Vec<Vec<u32>>>().concat()
}
