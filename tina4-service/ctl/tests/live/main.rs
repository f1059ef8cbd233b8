//! `tina4ctl` against a live process: each command, each exit code, and what it prints.
#![cfg(unix)]

mod fixture;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fixture::{Ended, Live, until};

#[test]
fn rule_115_list_shows_states_and_what_to_know() {
    let live = Live::start();
    let ended = live.ctl(&["list"]);
    assert_eq!(ended.code, 0);
    let rows: Vec<Vec<&str>> = ended.out.lines().map(|line| line.split('\t').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 6), "{}", ended.out);
    let row = |name: &str| {
        rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{}", ended.out))
    };
    assert_eq!(row("heartbeat")[1], "waiting");
    assert_eq!(
        row("broken")[1..],
        ["failed", "-", row("broken")[3], "error", "connection refused"]
    );
    assert_eq!(row("mail.send")[1], "running");
    // Names, wildcards and tags.
    for (names, expected) in [
        (&["heartbeat"][..], &["heartbeat"][..]),
        (&["mail.*"], &["mail.send", "mail.sort"]),
        (&["tag:mail", "heart*"], &["heartbeat", "mail.send", "mail.sort"]),
        (&["m*.s*t"], &["mail.sort"]),
    ] {
        let ended = live.ctl(&[&["list"], names].concat());
        let mut listed: Vec<_> =
            ended.out.lines().filter_map(|line| line.split('\t').next()).collect();
        listed.sort_unstable();
        assert_eq!(listed, expected, "{names:?}");
    }
}

#[test]
fn rule_115_show_plan_history_and_logs() {
    let live = Live::start();
    let shown = live.ctl(&["show", "broken"]);
    for line in [
        "name\tbroken",
        "state\tfailed",
        "healthy\tno",
        "last_error\tconnection refused",
        "schedule\tevery 1h",
    ] {
        assert!(shown.out.lines().any(|shown| shown == line), "{line}: {}", shown.out);
    }
    let planned = live.ctl(&["plan", "report", "-n", "3"]);
    let times: Vec<_> = planned.out.lines().filter_map(|line| line.split('\t').nth(1)).collect();
    assert!(
        times.len() == 3 && times.is_sorted() && times[0].contains("T08:00:00"),
        "{}",
        planned.out
    );
    assert!(live.ctl(&["plan"]).out.lines().count() > 3);
    let history = live.ctl(&["history", "broken"]);
    assert!(history.out.contains("\terror\tstart\tconnection refused"), "{}", history.out);
    // This program keeps no log lines, and says so.
    let logs = live.ctl(&["logs", "broken", "--failed"]);
    assert_eq!(logs.code, 1, "{logs:?}");
    assert!(logs.err.contains("RunLog::layer()"), "{logs:?}");
}

#[test]
fn rule_115_each_action_reaches_the_service() {
    let live = Live::start();
    let state = |name: &str| live.runner.status()[name].to_string();
    for (words, name, expected) in [
        (&["pause", "heartbeat"][..], "heartbeat", "paused"),
        (&["pause", "heartbeat"], "heartbeat", "paused"),
        (&["resume", "heartbeat"], "heartbeat", "waiting"),
        (&["stop", "mail.send"], "mail.send", "stopped"),
        (&["start", "mail.send"], "mail.send", "running"),
        (&["restart", "mail.send"], "mail.send", "running"),
        (&["reset", "broken"], "broken", "stopped"),
    ] {
        let ended = live.ctl(words);
        assert_eq!((ended.code, &*ended.err), (0, ""), "{words:?}: {ended:?}");
        until(expected, || state(name) == expected);
        let told = ended.out.trim().split('\t').nth(1).expect("two fields").to_owned();
        // It may still be on its way.
        let is_on_its_way = words[0].contains("start") || told == "stopping";
        assert!(told == expected || is_on_its_way, "{words:?}: {ended:?}");
    }
    // Several at once, with a reason, which the next run knows.
    let ended = live.ctl(&["run", "tag:quick", "heartbeat", "--reason", "disk full"]);
    assert_eq!(ended.out.lines().count(), 2, "{ended:?}");
    let info = live.service("heartbeat");
    let by = info.last_requested_by.expect("it was asked for");
    assert_eq!(by.reason(), Some("disk full"));
    assert!(by.name().starts_with("uid "), "{by}");
}

#[test]
fn rule_115_a_run_is_waited_for_and_its_failure_is_the_exit_code() {
    let live = Live::start();
    let runs = live.service("heartbeat").runs;
    let ended = live.ctl(&["run", "heartbeat", "--wait"]);
    assert_eq!((ended.code, &*ended.err), (0, ""), "{ended:?}");
    assert!(ended.out.starts_with(&format!("heartbeat\trun {}: ok after ", runs + 1)), "{ended:?}");
    let ended = live.ctl(&["run", "flaky", "--wait"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("of `flaky` ended with `error`: no route to host"), "{ended:?}");
    // Without waiting, it is none.
    assert_eq!(live.ctl(&["run", "flaky"]).code, 0);
}

#[test]
fn rule_115_each_exit_code() {
    let live = Live::start();
    live.runner.pause("heartbeat").expect("it is waiting");
    for (words, code, message) in [
        (&["list"][..], 0, ""),
        (&["is-active", "heartbeat"], 0, ""),
        (&["is-active", "mail.*", "report"], 0, ""),
        // Refused.
        (&["pause", "broken"], 1, "`broken`"),
        (&["run", "mail.send"], 1, "a run"),
        // Wrong.
        (&["pause"], 2, "NAME"),
        (&["lits"], 2, "lits"),
        (&["list", "--socket"], 2, "--socket"),
        (&["--url", "https://localhost", "list"], 2, "TLS"),
        (&["check"], 2, "no services of its own"),
        // Not healthy, not active; nothing else ends so.
        (&["health"], 3, ""),
        (&["is-active", "broken"], 3, ""),
        (&["is-active", "*"], 3, ""),
        (&["show", "broken"], 0, ""),
        // Unknown.
        (&["show", "hartbeat"], 4, "`heartbeat`"),
        (&["list", "hartbeat"], 4, "`heartbeat`"),
        (&["show", "nobody"], 4, "there is no service `nobody`; `list` shows all of them"),
        (&["pause", "x*"], 4, "no service matches `x*`"),
        (&["pause", "tag:x"], 4, "no service has the tag `x`"),
        (&["is-active", "hartbeat"], 4, "`heartbeat`"),
        (&["run", "heartbeat", "hartbeat"], 4, "`heartbeat`"),
        (&["tail", "hartbeat"], 4, "`heartbeat`"),
    ] {
        let ended = live.ctl(words);
        assert_eq!(ended.code, code, "{words:?}: {ended:?}");
        assert!(ended.err.contains(message), "{words:?}: {ended:?}");
        assert!(ended.err.is_empty() == message.is_empty(), "{words:?}: {ended:?}");
        if code != 0 && code != 2 && code != 3 {
            assert!(ended.err.starts_with("tina4ctl: ") && ended.err.contains("; "), "{ended:?}");
        }
    }
    let ended = live.ctl(&["health"]);
    assert_eq!(ended.out, "degraded\nbroken\tit has failed\n", "{ended:?}");
    // Once everything is healthy.
    live.runner.reset("broken").expect("it has failed");
    live.runner.reset("flaky").expect("it may have failed");
    let ended = live.ctl(&["health"]);
    assert!(ended.code == 0 && ended.out == "ok\n", "{ended:?}");
    // Nobody there.
    let nowhere = live.dir.path().join("nowhere.sock");
    let ended = fixture::ctl(&["--socket", nowhere.to_str().unwrap(), "list"]);
    assert!(ended.code == 69 && ended.err.contains("no program answers at"), "{ended:?}");
    let ended = fixture::ctl(&["list"]);
    assert!(ended.code == 69 && ended.err.contains("TINA4_SERVICES_SOCKET"), "{ended:?}");
    live.runner.stop_all();
    assert_eq!(live.ctl(&["list"]).code, 69);
}

#[cfg(target_os = "linux")]
#[test]
fn rule_115_over_a_port_with_and_without_a_token() {
    let live = Live::start();
    let (open, token) = ("127.115.2.1:9000", "x".repeat(40));
    let console = tina4_service_console::Console::new(&live.runner).token(&token).unwrap();
    live.runner.register(console.serve(open)).unwrap();
    live.runner.start("tina4.console").unwrap();
    until("the port", || std::net::TcpStream::connect(open).is_ok());
    let url = format!("http://{open}/");
    let with_url = |words: &[&str]| {
        [&["--url", &url], words].concat().iter().map(|word| word.to_string()).collect::<Vec<_>>()
    };
    let ctl = |words: &[&str], token: Option<&str>| {
        let words = with_url(words);
        let words: Vec<&str> = words.iter().map(|word| &**word).collect();
        fixture::ctl_with(
            &words,
            &token.map(|token| ("TINA4_CONSOLE_TOKEN", token)).into_iter().collect::<Vec<_>>(),
        )
    };
    assert_eq!(ctl(&["list"], None).code, 0);
    let refused = ctl(&["pause", "heartbeat"], None);
    assert!(refused.code == 77 && refused.err.contains("token"), "{refused:?}");
    let refused = ctl(&["list"], Some("wrong"));
    assert_eq!(refused.code, 77, "{refused:?}");
    assert_eq!(ctl(&["pause", "heartbeat"], Some(&token)).code, 0);
    let file = live.dir.path().join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let words = with_url(&["--token-file", file.to_str().unwrap(), "resume", "heartbeat"]);
    assert_eq!(fixture::ctl(&words.iter().map(|word| &**word).collect::<Vec<_>>()).code, 0);
    // Where there is no console.
    let other = format!("http://{open}/other");
    let lost = fixture::ctl(&["--url", &other, "list"]);
    assert!(lost.code != 0 && lost.out.is_empty(), "{lost:?}");
}

#[test]
fn rule_115_json_is_exactly_one_value_whatever_happens() {
    let live = Live::start();
    let commands: [&[&str]; 31] = [
        &["list"],
        &["list", "mail.*"],
        &["list", "nobody"],
        &["show", "heartbeat"],
        &["show", "heartbeat", "broken"],
        &["show", "nobody"],
        &["plan"],
        &["plan", "report", "-n", "2"],
        &["history", "broken", "heartbeat"],
        &["logs", "broken"],
        &["logs", "broken", "--failed"],
        &["run", "heartbeat"],
        &["run", "heartbeat", "--wait"],
        &["run", "flaky", "--wait"],
        &["run", "nobody", "heartbeat"],
        &["pause", "heartbeat", "--reason", "why"],
        &["resume", "heartbeat"],
        &["stop", "mail.send"],
        &["start", "mail.send"],
        &["restart", "mail.send"],
        &["reset", "broken"],
        &["pause", "broken"],
        &["health"],
        &["is-active", "heartbeat", "broken"],
        &["is-active", "nobody"],
        &["check"],
        &["completions", "bash"],
        &["__names"],
        &["tail", "-n", "0"],
        &["--help"],
        &["lits"],
    ];
    for words in commands {
        let ended = live.ctl(&[words, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {ended:?}"));
        assert!(value.is_object() || value.is_array(), "{words:?}: {value}");
        if ![0, 3].contains(&ended.code) {
            let is_told = value["error"].is_string()
                || value["results"].as_array().is_some_and(|results| {
                    results.iter().any(|result| result["error"].is_string())
                });
            assert!(is_told, "{words:?}: {value}");
        }
    }
    // A list has the shape of the console, and is what was asked for.
    let value: serde_json::Value =
        serde_json::from_str(&live.ctl(&["list", "mail.*", "--json"]).out).unwrap();
    let services = value["services"].as_array().unwrap();
    let names: Vec<_> = services.iter().filter_map(|service| service["name"].as_str()).collect();
    assert_eq!((names, value["schema"].as_u64()), (vec!["mail.send", "mail.sort"], Some(1)));
}

/// Starts `tail`, and pauses and resumes a service until it has printed `count` lines. It comes to connect whenever it
/// does, so the changes go on for as long as it takes.
fn tail(live: &Live, words: &[&str], count: usize) -> (Child, Vec<String>) {
    let socket = live.socket();
    let words = [&["--socket", socket.to_str().unwrap(), "tail", "heart*"], words].concat();
    let mut child =
        fixture::command(&words, &[]).stdout(Stdio::piped()).spawn().expect("it was built");
    let out = child.stdout.take().expect("it is a pipe");
    let lines = std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || {
            let mut paused = false;
            while stopped.recv_timeout(Duration::from_millis(100)).is_err() {
                paused = !paused;
                let runner = &live.runner;
                let changed =
                    if paused { runner.pause("heartbeat") } else { runner.resume("heartbeat") };
                changed.expect("it is active");
            }
        });
        let lines =
            BufReader::new(out).lines().take(count).map(|line| line.expect("it is text")).collect();
        // An error means that a change was refused, and the test has failed.
        let _ = stop.send(());
        lines
    });
    (child, lines)
}

#[test]
fn rule_115_tail_prints_a_line_for_each_change_and_ends_with_the_program() {
    let live = Live::start();
    let (mut child, lines) = tail(&live, &[], 2);
    for line in &lines {
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!((fields.len(), fields[1]), (5, "heartbeat"), "{line}");
        assert!(["paused", "waiting"].contains(&fields[2]), "{line}");
    }
    let (mut json, lines) = tail(&live, &["-n", "2", "--json"], 5);
    let value: serde_json::Value =
        serde_json::from_str(&lines.join("\n")).expect("it is one value");
    assert_eq!(value.as_array().map(Vec::len), Some(2), "{value}");
    assert_eq!((&value[0]["name"], json.wait().unwrap().code()), (&"heartbeat".into(), Some(0)));
    live.runner.stop_all();
    // Its standard output is closed, which is no error either.
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn rule_115_completions_load_in_each_shell_that_there_is() {
    for (shell, load) in [
        ("bash", "source \"$0\" && complete -p tina4ctl"),
        ("zsh", "autoload -U compinit && compinit -u -D && source \"$0\" && whence -w _tina4ctl"),
        ("fish", "source $argv[1]; and complete -c tina4ctl | grep -q is-active"),
    ] {
        let ended = fixture::ctl(&["completions", shell]);
        assert!(ended.code == 0 && ended.out.contains("is-active"), "{ended:?}");
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("script");
        std::fs::write(&script, ended.out).unwrap();
        let loaded = Command::new(shell).args(["-c", load]).arg(&script).output();
        match loaded {
            Ok(loaded) => {
                assert!(loaded.status.success() && loaded.stderr.is_empty(), "{shell}: {loaded:?}")
            }
            Err(_) => assert_ne!(shell, "bash", "this test needs bash"),
        }
    }
}

#[test]
fn rule_115_ten_thousand_services_are_listed_and_a_closed_pipe_is_no_error() {
    let live = Live::start();
    for number in 0..10_000 {
        let service = tina4_service::Service::new(format!("s{number}"), |_| {}).interval("1h");
        live.runner.register(service).unwrap();
    }
    let ended = live.ctl(&["list"]);
    assert_eq!((ended.code, ended.out.lines().count()), (0, 10_000 + live.count()));
    assert_eq!(live.ctl(&["__names"]).out.lines().count(), 10_000 + live.count());
    for more in [&[][..], &["--json"]] {
        let socket = live.socket();
        let words = [&["--socket", socket.to_str().unwrap(), "list"], more].concat();
        let mut child = fixture::command(&words, &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it was built");
        let mut out = child.stdout.take().expect("it is a pipe");
        out.read_exact(&mut [0; 10]).expect("it prints");
        drop(out);
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]), "{ended:?}");
    }
}

#[test]
fn rule_115_what_is_no_console_is_unreachable() {
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    for answer in [
        &b""[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 404 Not Found\r\n\r\nnothing",
    ] {
        let ended: Ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut read = Vec::new();
                while !read.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    read.push(byte[0]);
                }
                stream.write_all(answer).unwrap();
            });
            fixture::ctl(&["--socket", path.to_str().unwrap(), "list"])
        });
        assert_eq!(ended.code, 69, "{}: {ended:?}", answer.escape_ascii());
        assert!(ended.err.starts_with("tina4ctl: ") && ended.out.is_empty(), "{ended:?}");
    }
}
