//! Rules 7, 82 and 160: known due times, for the crate and for the reference implementation.
//!
//! The files in `tests/vectors` contain results on which several public test suites agree.

use jiff::Timestamp;
use serde_json::Value;
use std::time::SystemTime;
use tests::cron::{Expression, Walk};
use tina4_service::Schedule;

const NEXT: &str = include_str!("../../vectors/cron_next.json");
const CLOCK_CHANGES: &str = include_str!("../../vectors/cron_dst.json");
const VALIDITY: &str = include_str!("../../vectors/cron_validity.json");

/// The due times of an expression.
struct Case {
    id: String,
    expression: String,
    zone: String,
    after: Timestamp,
    expected: Vec<Timestamp>,
}

fn vectors(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).expect("it is JSON");
    file["vectors"].as_array().expect("a list").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn time(value: &Value) -> Timestamp {
    text(value).parse().expect("a time")
}

fn cases() -> Vec<Case> {
    let all = [vectors(NEXT), vectors(CLOCK_CHANGES)].concat();
    assert_eq!(all.len(), 1_071 + 13);
    let case = |value: &Value| Case {
        id: text(&value["id"]).to_owned(),
        expression: text(&value["expr"]).to_owned(),
        zone: text(&value["tz"]).to_owned(),
        after: time(&value["after"]),
        expected: value["expect"].as_array().expect("a list").iter().map(time).collect(),
    };
    all.iter().map(case).collect()
}

/// Compares all cases with the results of `due`, where `None` stands for "no occurrence".
fn check(due: impl Fn(&Case) -> Option<Vec<Timestamp>>) {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let expected = Some(case.expected.clone()).filter(|expected| !expected.is_empty());
        let found = due(case);
        if found != expected {
            let Case { id, expression, zone, after, .. } = case;
            wrong.push(format!(
                "{id}: `{expression}` in {zone} after {after}: {found:?}, not {expected:?}"
            ));
        }
    }
    let (count, all) = (wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{count} of {all} are wrong:\n{}", wrong.join("\n"));
}

#[test]
fn rule_7_and_160_the_crate_agrees_with_every_vector() {
    check(|case| {
        let schedule = Schedule::cron(&case.expression, &case.zone).ok()?;
        let after = SystemTime::try_from(case.after).expect("a time");
        let due = schedule.upcoming(after, case.expected.len());
        assert_eq!(schedule.next_after(after), due.first().copied(), "{}", case.id);
        Some(due.into_iter().map(|at| Timestamp::try_from(at).expect("a time")).collect())
    });
}

#[test]
fn rule_7_and_160_the_reference_agrees_with_every_vector() {
    check(|case| {
        let expression = Expression::parse(&case.expression);
        let (after, count) = (case.after.as_second(), case.expected.len());
        let last = case.expected.last().filter(|_| expression.has_occurrences())?;
        // Every second up to the last due time.
        let walk = Walk::new(&case.zone, after, last.as_second() + 1);
        let due = walk.due(&expression, after, count + 1);
        Some(due.into_iter().map(|at| Timestamp::from_second(at).expect("a time")).collect())
    });
}

#[test]
fn rule_82_and_160_valid_expressions_are_accepted_and_invalid_ones_refused() {
    let all = vectors(VALIDITY);
    assert_eq!(all.len(), 140);
    let mut wrong = Vec::new();
    for value in &all {
        let (id, expression) = (text(&value["id"]), text(&value["expr"]));
        let valid = match text(&value["kind"]) {
            "valid" => true,
            "invalid" => false,
            other => panic!("{id} is of the unknown kind {other}"),
        };
        let found = Schedule::cron(expression, "UTC");
        if found.is_ok() != valid {
            wrong.push(format!("{id}: `{expression}`: {found:?}"));
        }
    }
    let (count, all) = (wrong.len(), all.len());
    assert!(wrong.is_empty(), "{count} of {all} are wrong:\n{}", wrong.join("\n"));
}
