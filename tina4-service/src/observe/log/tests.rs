//! Every line, compared with the table of the chapter `logging`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::Service;
use crate::observe::change_samples::change_samples;
use crate::observe::log::entry::{StartedMany, StoppedMany, TABLE_ROWS, Table};
use crate::observe::log::recorder::{Seen, written};
use crate::observe::request::Request;
use crate::observe::requester::Requester;
use crate::service::deployment::Deployment;
use crate::service::environment::Environment;
use crate::service::settings::SettingsCache;
use crate::time::schedule::Schedule;

fn instance(deployment: &Deployment) -> Arc<Instance> {
    let service = Service::new("s", |_| {}).interval("30s");
    let definition = service.into_definition(&SettingsCache::default(), deployment);
    Arc::new(Instance::new(definition, Arc::new(Environment::default())))
}

fn about_service(entry: Entry) -> LogLine {
    LogLine { instance: Some(instance(&Deployment::default())), entry }
}

fn change(change: Change) -> Entry {
    Entry::Change { change, left_out: 0 }
}

fn started() -> Entry {
    let schedule = Schedule::interval(Duration::from_secs(30));
    Entry::Started(Box::new(Started { schedule, next: Some(SystemTime::UNIX_EPOCH) }))
}

fn started_many() -> Entry {
    let services = vec![(instance(&Deployment::default()), None); 3];
    let next = Some(SystemTime::UNIX_EPOCH);
    let not_waited_for = vec![Cow::Borrowed("a")];
    Entry::StartedMany(Box::new(StartedMany { services, waiting: 1, next, not_waited_for }))
}

fn stopped_many() -> Entry {
    let instances = vec![instance(&Deployment::default()); 3];
    Entry::StoppedMany(Box::new(StoppedMany { instances, took: Duration::from_secs(1) }))
}

fn skipped(count: u64) -> Entry {
    Entry::Skipped(Box::new(Skipped {
        count,
        schedule: Schedule::interval(Duration::from_secs(30)),
        due: Some(SystemTime::UNIX_EPOCH),
        next: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(90)),
    }))
}

fn stop_waits() -> Entry {
    Entry::StopWaits(Box::new(StopWaits {
        services: vec!["a".into(), "b".into()],
        behind: 2,
        waited: Duration::from_secs(1),
        left: Duration::from_secs(9),
    }))
}

fn table(count: usize) -> Entry {
    let runner = crate::Runner::new();
    for number in 0..count {
        let service = Service::new(format!("s{number}"), |_| {}).interval("30s");
        runner.register(service).expect("a new name");
    }
    let infos: Vec<_> = runner.services().into_iter().take(TABLE_ROWS).collect();
    let states = [("registered".to_owned(), count)].into();
    Entry::Table(Box::new(Table { total: count, states, infos }))
}

/// The changes that concern the runner.
const OF_RUNNER: [&str; 4] = ["selected", "signal_received", "thread_failed", "missed"];

/// Whether there is a line about this kind of change: see `log_change`.
fn is_logged(change: &Change) -> bool {
    !matches!(
        change,
        Change::Registered
            | Change::Ready
            | Change::RunBegan { .. }
            | Change::RunEnded { .. }
            | Change::Restarted
    )
}

/// The position of this kind of entry among all kinds. The compiler finds one that is missing.
fn kind_of(entry: &Entry) -> usize {
    match entry {
        Entry::Change { .. } => 0,
        Entry::FirstCrash(_) => 1,
        Entry::Started(_) => 2,
        Entry::StartedMany(_) => 3,
        Entry::DisabledMany(_) => 4,
        Entry::StoppedMany(_) => 5,
        Entry::Skipped(_) => 6,
        Entry::Recovered { .. } => 7,
        Entry::RunsAgain { .. } => 8,
        Entry::StopWaits(_) => 9,
        Entry::NoticesLost { .. } => 10,
        Entry::Table(_) => 11,
    }
}

/// A sample of each line.
fn samples() -> Vec<LogLine> {
    // These have an entry of their own.
    let has_entry = |change: &Change| matches!(change, Change::Started | Change::Skipped { .. });
    let line = |of: Change| {
        let is_of_runner = OF_RUNNER.contains(&of.kind());
        if is_of_runner { LogLine::of_runner(of) } else { about_service(change(of)) }
    };
    let logged = change_samples().into_iter().filter(|of| is_logged(of) && !has_entry(of));
    let mut samples: Vec<_> = logged.map(line).collect();
    let first = Change::Crashed { in_a_row: 1, cause: "text".into(), restart_in: None };
    samples.push(about_service(Entry::FirstCrash(first)));
    let variables = [("TINA4_SERVICES__S__ENABLED".into(), "false".into())].to_vec();
    let variables = crate::service::deployment::variables::Variables::read("TINA4", variables);
    let disabled = Deployment::new(variables, crate::Settings::default());
    samples.push(LogLine { instance: Some(instance(&disabled)), entry: started() });
    samples.push(about_service(Entry::Recovered { crashes: 2, left_out: 0 }));
    samples.push(about_service(Entry::RunsAgain { crashes: 2, left_out: 0 }));
    samples.extend([started(), skipped(3)].map(about_service));
    let lost = Entry::NoticesLost { count: 3 };
    let disabled = vec![instance(&disabled); 3];
    let of_all = [
        started_many(),
        Entry::DisabledMany(disabled),
        stopped_many(),
        stop_waits(),
        lost,
        table(3),
    ];
    samples.extend(of_all.map(|entry| LogLine { instance: None, entry }));
    let kinds: BTreeSet<_> = samples.iter().map(|line| kind_of(&line.entry)).collect();
    assert_eq!(kinds, (0..=11).collect(), "there is a sample of each kind of entry");
    samples
}

/// A row of the table: the level, the fixed parts of the message, and the fields.
struct Row<'a> {
    level: &'a str,
    message: Vec<&'a str>,
    fields: BTreeSet<String>,
}

impl Row<'_> {
    fn is_of(&self, seen: &Seen) -> bool {
        let mut rest = seen.message.as_str();
        self.level == seen.level
            && self.message.iter().all(|part| match rest.split_once(part) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
            && seen.message.starts_with(self.message[0])
            && self.fields == seen.fields
    }
}

fn rows() -> Vec<Row<'static>> {
    let chapter = include_str!("../../logging.md");
    let rows = chapter.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [level, message, fields] = cells[..] else { return None };
        let is_level = ["debug", "info", "warn", "error"].contains(&level);
        is_level.then(|| Row {
            level,
            // What varies is in italics.
            message: message.split('*').step_by(2).collect(),
            fields: fields.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        })
    });
    rows.filter(|row| cfg!(feature = "queue") || !row.fields.contains("job")).collect()
}

#[test]
fn rule_62_the_chapter_lists_every_line_with_its_level_and_fields() {
    let rows = rows();
    let mut unused: BTreeSet<_> = (0..rows.len()).collect();
    for sample in samples() {
        let lines = written(|| sample.write());
        assert!(!lines.is_empty(), "{sample:?}");
        for seen in lines {
            assert_eq!(seen.target, "tina4_service");
            let matching: Vec<_> =
                rows.iter().enumerate().filter(|(_, row)| row.is_of(&seen)).collect();
            assert_eq!(matching.len(), 1, "{seen:?}");
            unused.remove(&matching[0].0);
        }
    }
    let unused: Vec<_> = unused.iter().map(|row| &rows[*row].message).collect();
    assert!(unused.is_empty(), "no line is like {unused:?}");
}

/// What is not logged has a reason: it would be one line for each run.
#[test]
fn rule_62_changes_of_every_run_are_not_logged() {
    let not_logged = || change_samples().into_iter().filter(|change| !is_logged(change));
    let kinds: BTreeSet<_> = not_logged().map(|change| change.kind()).collect();
    let expected = ["ready", "registered", "restarted", "run_began", "run_ended"];
    assert_eq!(kinds, expected.into());
    for change in not_logged() {
        let entry = Entry::Change { change, left_out: 0 };
        assert_eq!(written(|| about_service(entry).write()).len(), 0);
    }
}

#[test]
fn rule_62_a_start_says_the_schedule_and_the_next_run() {
    let lines = written(|| about_service(started()).write());
    assert_eq!(lines[0].value("schedule"), "every 30s");
    assert_eq!(lines[0].value("next"), "1970-01-01T00:00:00Z");
    let lines = written(|| LogLine { instance: None, entry: started_many() }.write());
    assert_eq!(lines[0].value("count"), "3");
    assert_eq!(lines[0].value("schedules"), "3 interval");
    assert_eq!(lines[0].value("waiting"), "1");
    assert_eq!(lines[0].value("next"), "1970-01-01T00:00:00Z");
    let each: Vec<_> =
        lines[1..].iter().map(|line| (&*line.level, line.value("service"))).collect();
    assert_eq!(each, vec![("debug", "s".to_owned()); 3]);
}

#[test]
fn rule_62_a_skip_says_what_was_due_and_when_it_is_due_next() {
    let lines = written(|| about_service(skipped(2)).write());
    assert_eq!(lines[0].value("count"), "2");
    assert_eq!(lines[0].value("due"), "1970-01-01T00:00:00Z");
    assert_eq!(lines[0].value("next"), "1970-01-01T00:01:30Z");
}

#[test]
fn rule_62_a_table_lists_a_thousand_services_and_says_how_many_there_are() {
    let line = |count| LogLine { instance: None, entry: table(count) };
    let lines = written(|| line(2).write());
    assert_eq!((lines[0].value("total"), lines[0].value("listed")), ("2".into(), "2".into()));
    assert_eq!(lines[0].value("states"), "2 registered");
    assert_eq!(lines[2].message, "s1: registered, every 30s, runs: 0, crashes: 0");
    assert_eq!(lines[2].value("service"), "s1");
    assert_eq!(lines[2].value("state"), "registered");
    let lines = written(|| line(1_001).write());
    assert_eq!((lines.len(), lines[0].value("total")), (1_001, "1001".to_owned()));
}

#[test]
fn rule_62_a_line_says_how_many_like_it_were_left_out() {
    let stuck = || Change::Stuck { running_for: Duration::from_secs(1) };
    for (left_out, shown) in [(0, ""), (7, "7")] {
        let entry = Entry::Change { change: stuck(), left_out };
        let lines = written(|| about_service(entry).write());
        assert_eq!(lines[0].value("left_out"), shown);
    }
}

/// A subscriber may show a list of names on one line, so its length is limited.
#[test]
fn rule_62_long_lists_of_names_are_shortened() {
    let numbered = |count: usize| (0..count).map(|n| Cow::Owned(n.to_string())).collect::<Vec<_>>();
    assert_eq!(names(&numbered(3)), "0, 1, 2");
    assert_eq!(names(&numbered(10)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
    assert_eq!(names(&numbered(1_000)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more");
}

#[test]
fn rule_113_a_request_says_who_asks_and_why_and_of_which_service() {
    let by = || Requester::new("alice\n").because("no invoices");
    let requested = || Change::Requested { request: Request::RunNow, by: by() };
    let lines = written(|| about_service(change(requested())).write());
    let said = ["service", "request", "by", "reason"].map(|field| lines[0].value(field));
    assert_eq!(said, ["s", "run_now", "alice", "no invoices"]);
    let lines = written(|| LogLine::of_runner(requested()).write());
    assert_eq!(lines[0].value("service"), "");
    let refused = Change::Refused { request: Request::StopAll, by: by(), error: "text".into() };
    let lines = written(|| LogLine::of_runner(refused).write());
    let said = ["service", "request", "error"].map(|field| lines[0].value(field));
    assert_eq!(said, ["", "stop_all", "text"]);
}
