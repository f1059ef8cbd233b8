//! What a process waits for the disk for, as `strace` shows it.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::ops::Range;
use std::process::Command;

use tests::Child;

use crate::queue_world::{Store, World};

/// The lines of a trace.
#[derive(Debug, Default)]
struct Trace {
    /// From the line where each sync begins to the one where it ends.
    syncs: Vec<Range<usize>>,
    /// The same for each line that the process printed.
    printed: HashMap<String, Range<usize>>,
}

impl Trace {
    fn parse(text: &str) -> Self {
        let mut trace = Self::default();
        // The call that each thread waits for, with the line where it began.
        let mut waiting: HashMap<&str, (usize, &str)> = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let (thread, call) = line.split_once(' ').expect("a thread and a call");
            let call = call.trim_start();
            if call.ends_with("<unfinished ...>") {
                waiting.insert(thread, (number, call));
            } else if call.starts_with("<... ") {
                let (begin, call) = waiting.remove(thread).expect("it has begun");
                trace.add(call, begin..number);
            } else {
                trace.add(call, number..number);
            }
        }
        trace
    }

    fn add(&mut self, call: &str, lines: Range<usize>) {
        if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
            self.syncs.push(lines);
        } else if let Some(text) = call.strip_prefix("write(1, \"") {
            let (text, _) = text.split_once("\\n\"").expect("a whole line");
            self.printed.insert(text.to_owned(), lines);
        }
    }

    /// The syncs between two printed lines.
    fn between(&self, first: &str, last: &str) -> usize {
        let lines = self.printed[first].end..self.printed[last].start;
        self.syncs.iter().filter(|sync| lines.start < sync.start && sync.end < lines.end).count()
    }
}

/// `None` if it is missing and not required, which is said.
fn strace(arguments: &[&str]) -> Option<Command> {
    let mut strace = Command::new("strace");
    match strace.arg("-V").output() {
        Ok(_) => {
            let mut strace = Command::new("strace");
            strace.args(arguments);
            Some(strace)
        }
        Err(error) => {
            let is_missing = error.kind() == ErrorKind::NotFound;
            let is_required = std::env::var("TINA4_TEST_SERVERS").is_ok();
            assert!(
                is_missing && !is_required,
                "`strace` is required: {error}; run `.ci/servers cargo test`"
            );
            let left_out = "left out: a test of syncs, because there is no `strace`; install it";
            let _ = writeln!(io::stderr(), "{left_out}");
            None
        }
    }
}

#[test]
fn rule_130_a_push_is_synced_before_it_returns_and_a_claim_is_not() {
    let world = World::new(Store::Sqlite, "syncs").expect("it needs no server");
    let trace = world.path("trace");
    let arguments = ["-f", "-e", "trace=fsync,fdatasync,write", "-e", "signal=none", "-o", &trace];
    let Some(mut command) = strace(&arguments) else { return };
    // The tables exist before.
    drop(world.open());
    command.arg(env!("CARGO_BIN_EXE_queue_worker"));
    command.args([&*world.address, "push-and-claim", "", "only"]);
    let ended = Child::run(&mut command).wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let text = fs::read_to_string(&trace).expect("the trace can be read");
    let trace = Trace::parse(&text);
    let syncs = |number| {
        trace.between(&format!("push {number} begins"), &format!("push {number} returned"))
    };
    let alone: Vec<_> = (0..10).map(syncs).collect();
    // The first one also creates the log, whose header and directory are synced.
    assert!((1..=3).contains(&alone[0]), "{alone:?}");
    assert_eq!(alone[1..], [1; 9], "one sync for each push");
    for number in (1..9).flat_map(|thread| 10 * thread..10 * thread + 5) {
        assert!(syncs(number) >= 1, "push {number} has returned before it was synced");
    }
    let together = trace.between("together", "claims begin");
    println!("40 pushes from 8 threads: {together} syncs");
    assert!(together < 40, "pushes that wait together share a sync: {together}");
    assert_eq!(trace.between("claims begin", "claims ended"), 0, "syncs of claims");
}
