//! The next due time, which is computed for each run, and parsing, which is done once per service.
//!
//! ```text
//! cargo bench -p tina4-service --bench schedule
//! ```

use std::time::{Duration, SystemTime};

use divan::{Bencher, black_box};
use tina4_service::Schedule;

fn main() {
    divan::main();
}

/// 2026-03-28T12:00:00Z, a day before DST starts in Berlin.
const SPRING: u64 = 1_774_699_200;
/// 2096-03-01T00:00:00Z: 2100 has no leap day, so the next one is eight years away.
const BEFORE_2100: u64 = 3_981_398_400;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[divan::bench]
fn next_of_interval(bencher: Bencher<'_, '_>) {
    let schedule = Schedule::interval(Duration::from_millis(10));
    bencher.bench_local(|| black_box(&schedule).next_after(black_box(at(SPRING))));
}

/// Expressions, and the instant from which to search in Berlin.
const CASES: [(&str, u64); 5] = [
    ("* * * * * *", SPRING),
    ("*/5 * * * *", SPRING),
    ("0 8 * * MON-FRI", SPRING),
    ("0 30 2 * * *", SPRING),
    // The worst case: a leap day on a weekend.
    ("0 0 29 2 */6", BEFORE_2100),
];

#[divan::bench(args = CASES.map(|(expression, _)| expression))]
fn next_of_cron(bencher: Bencher<'_, '_>, expression: &str) {
    let (_, from) = CASES.into_iter().find(|case| case.0 == expression).expect("one of them");
    let schedule = Schedule::cron(expression, "Europe/Berlin").expect("a cron expression");
    bencher.bench_local(|| black_box(&schedule).next_after(black_box(at(from))));
}

#[divan::bench(args = CASES.map(|(expression, _)| expression))]
fn parse_cron(expression: &str) -> Schedule {
    Schedule::cron(black_box(expression), "UTC").expect("a cron expression")
}
