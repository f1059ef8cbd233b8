//! A process that is stopped and continued (SIGSTOP, SIGCONT) while it waits for the server. Linux interrupts such a wait.

use std::env;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tina4_service_queue::contract::Proxy;
use tina4_service_queue::{Backlog, Engine as _, NewJob, RetryPolicy, Timestamp, Want};
use tina4_service_redis::{RedisBuilder, RedisEngine};

use crate::servers::Space;

/// Tells the test that it is the paused process: the address, and the prefix.
const ADDRESS: &str = "TINA4_TEST_PAUSED_ADDRESS";
const PREFIX: &str = "TINA4_TEST_PAUSED_PREFIX";

const NAME: &str = "pauses::rule_130_calls_survive_a_pause_of_their_process";

/// How often something is looked at that takes a moment, at most: for a minute.
const LOOKS: u32 = 3_000;

fn backlog(engine: &RedisEngine) -> Backlog {
    engine.backlog("numbers", Timestamp::default()).unwrap()
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    panic!("it does not happen");
}

/// One call on each of the connections of an engine, which has one job.
fn call(engine: &RedisEngine) {
    let policy = RetryPolicy::DEFAULT;
    let want = Want { queue: "numbers", count: 1, lease: Duration::from_secs(60), policy: &policy };
    let new = NewJob::new("numbers", "2");
    thread::scope(|scope| {
        scope.spawn(|| engine.push(&[new], Timestamp::default()).expect("the push"));
        scope.spawn(|| {
            let turn = engine.turn(&[], &[want], Timestamp::default()).expect("the turn");
            assert_eq!(turn.claims.len(), 1);
        });
        scope.spawn(|| engine.dead("numbers", None, 1).expect("the list"));
    });
}

/// The process that is paused.
fn be_paused(address: &str, prefix: &str) {
    let builder = RedisBuilder::new(address).unwrap().prefix(prefix).poll_only();
    let engine = builder.timeout(Duration::from_secs(600)).open().unwrap();
    engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).unwrap();
    // All connections are there.
    engine.turn(&[], &[], Timestamp::default()).unwrap();
    println!("ready");
    io::stdin().read_line(&mut String::new()).unwrap();
    call(&engine);
}

/// Sends a signal, and waits until the process is in the state that follows.
fn signal(child: &Child, signal: &str, is_reached: fn(char) -> bool) {
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    wait_until(|| {
        let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let states = tasks.flatten().filter_map(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).ok()?;
            stat.rsplit_once(") ")?.1.chars().next()
        });
        states.into_iter().all(is_reached)
    });
}

#[test]
fn rule_130_calls_survive_a_pause_of_their_process() {
    if let (Ok(address), Ok(prefix)) = (env::var(ADDRESS), env::var(PREFIX)) {
        return be_paused(&address, &prefix);
    }
    let Some(space) = Space::new() else { return };
    let server = space.address.strip_prefix("redis://").expect("an address").trim_end_matches('/');
    let proxy = Proxy::to(server).unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env(ADDRESS, format!("redis://{}/", proxy.address()))
        .env(PREFIX, &space.prefix)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    while !output.next().expect("it starts").unwrap().contains("ready") {}
    proxy.mute();
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let engine = space.open();
    // The server has done it, and the answers are on their way.
    wait_until(|| backlog(&engine).claimed == 1 && backlog(&engine).ready == 1);
    signal(&child, "STOP", |state| state == 'T');
    signal(&child, "CONT", |state| state != 'T');
    proxy.thaw();
    let output: Vec<_> = output.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "{output:#?}");
    assert_eq!((backlog(&engine).claimed, backlog(&engine).ready), (1, 1), "nothing is done twice");
}
