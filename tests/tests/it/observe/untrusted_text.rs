//! Rules 30, 60, 70 and 174: text of unknown origin (an error, the environment, an unchecked name)
//! neither ends a line of output nor controls the terminal, and is short.

use tests::{Kind, both_kinds, in_virtual_time, info, manual_clock};
use tina4_service::{Runner, Service};

both_kinds! {
    rule_60_the_line_about_a_service_stays_one_line_whatever_its_error_contains,
    rule_70_a_change_is_one_line_of_the_timeline_whatever_its_error_contains,
}

/// Checks that a text cannot control a terminal and has this many lines.
#[track_caller]
fn assert_harmless(text: &str, lines: usize) {
    let bad = |c: char| c != '\n' && (c.is_control() || "\u{2028}\u{2029}\u{202e}".contains(c));
    assert!(!text.contains(bad) && text.lines().count() == lines, "{text:?}");
}

const HOSTILE: &str = "no\nFAKE: all is well\r\n\u{1b}[2J\u{7}\t\u{85}\u{2028}\u{202e}";
const SHOWN: &str = "no\\nFAKE: all is well\\r\\n\\u{1b}[2J\\u{7}\\t\\u{85}\\u{2028}\\u{202e}";

fn rule_60_the_line_about_a_service_stays_one_line_whatever_its_error_contains(kind: Kind) {
    let runner = Runner::new();
    runner.register(kind.service("hostile", |_| Err::<(), _>(HOSTILE)).max_restarts(0)).unwrap();
    let long = |_: &_| Err::<(), _>("long ".repeat(1_000_000));
    runner.register(kind.service("long", long).max_restarts(0)).unwrap();
    let panics = |_: &_| panic!("two\nlines");
    runner.register(kind.service::<(), _>("panics", panics).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let begin = |name| format!("{name}: failed, continuous, runs: 1, crashes: 1, last error: ");
    let service = info(&runner, "hostile");
    assert_eq!(service.to_string(), format!("{}{SHOWN}", begin("hostile")));
    assert_eq!(service.last_error.as_deref(), Some(HOSTILE), "the status keeps the original");
    let line = info(&runner, "long").to_string();
    assert_eq!(line, format!("{}{} [..]", begin("long"), "long ".repeat(40)));
    // A backtrace is left out.
    let line = info(&runner, "panics").to_string();
    let place = format!("{}panicked: two\\nlines at {}:", begin("panics"), file!());
    assert!(line.starts_with(&place) && line.len() < place.len() + 10, "{line}");
    for service in runner.services() {
        assert_harmless(&service.to_string(), 1);
    }
}

#[test]
fn rule_60_the_line_about_a_service_stays_one_line_whatever_its_cron_expression_contains() {
    let (runner, _clock) = manual_clock();
    runner.register(Service::new("s", |_| {}).cron("0\n8\t* *   *").timezone("UTC")).unwrap();
    assert_eq!(
        info(&runner, "s").to_string(),
        "s: registered, 0 8 * * * (UTC), runs: 0, crashes: 0"
    );
    assert_harmless(&runner.check().unwrap().to_string(), 1);
}

#[test]
fn rule_30_a_fault_is_harmless_whatever_the_name_contains() {
    let runner = Runner::builder().only([HOSTILE, "\u{1b}[31mred"]).build();
    runner
        .register(Service::new("s", |_| {}).after(HOSTILE).after("name ".repeat(1_000_000)))
        .unwrap();
    let error = runner.check().unwrap_err().to_string();
    // Two selected names and two names in `after`, below a line with their number.
    assert_harmless(&error, 5);
    assert_eq!(error.matches(SHOWN).count(), 2, "{error}");
    assert!(error.lines().all(|fault| fault.len() < 2_000), "{error}");
}

#[test]
fn rule_174_a_refusal_is_harmless_whatever_the_name_contains() {
    let runner = Runner::new();
    for refuse in [Runner::start, Runner::restart, Runner::pause, Runner::run_now] {
        let refusal = refuse(&runner, HOSTILE).unwrap_err().to_string();
        assert_harmless(&refusal, 1);
        assert!(refusal.contains(SHOWN), "{refusal}");
    }
}

#[cfg(unix)]
#[test]
fn rule_30_a_fault_is_harmless_whatever_the_environment_contains() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_local_time"));
    let ended = tests::Child::run(command.env("TZ", "No\nwhere\u{1b}[2J")).wait();
    let out = ended.out.join("\n");
    assert_harmless(&out, 2);
    assert!(out.contains("`TZ` is `No\\nwhere\\u{1b}[2J`"), "{out}");
}

fn rule_70_a_change_is_one_line_of_the_timeline_whatever_its_error_contains(kind: Kind) {
    let mut t = in_virtual_time([kind
        .service("s", |ctx| {
            ctx.on_stop(|| Err::<(), _>(HOSTILE));
            Err::<(), _>(HOSTILE)
        })
        .max_restarts(0)]);
    t.advance("1s");
    let timeline = t.timeline();
    // It starts, runs, crashes, its clean-up hook fails, and it has failed.
    assert_harmless(&timeline, 5);
    for what in ["crash 1: ", "clean-up hook failed: ", "failed: "] {
        assert!(timeline.contains(&format!("  {what}{SHOWN}")), "{timeline}");
    }
}
