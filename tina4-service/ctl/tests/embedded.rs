//! The commands as a part of a program with services, without a live process.

use std::env;
use std::process::{Command, ExitCode};

use tina4_service::service;

/// The words that make this program the child, separated by spaces.
const WORDS: &str = "TINA4_TEST_WORDS";

#[service(interval = "1h", tags = ["vital"])]
fn heartbeat() {}

#[service(cron = "0 8 * * *", timezone = "UTC", after = [heartbeat])]
fn report() {}

/// Runs a command as the program would, and prints its exit code; without words, this is an empty test.
#[test]
fn this_is_the_child_process() {
    let Ok(words) = env::var(WORDS) else { return };
    let words: Vec<_> = words.split(' ').map(Into::into).collect();
    let code = tina4_service_ctl::main_of("app services", words);
    let code = [0, 1, 2, 69].into_iter().find(|known| is(code, *known));
    println!("exit {}", code.expect("one of these"));
}

fn is(code: ExitCode, number: u8) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::from(number))
}

/// The exit code, the lines on standard output, and standard error.
fn run(words: &str) -> (u8, Vec<String>, String) {
    let ended = Command::new(env::current_exe().expect("this program has a path"))
        .args(["this_is_the_child_process", "--exact", "--nocapture"])
        .env(WORDS, words)
        .env("TINA4_SERVICES_SOCKET", "/nonexistent/services.sock")
        .output()
        .expect("it can be started again");
    let out = String::from_utf8(ended.stdout).expect("it is text");
    let lines: Vec<_> = out.lines().map(str::to_owned).collect();
    let code = lines.iter().find_map(|line| line.split_once("exit ")?.1.parse().ok());
    (
        code.unwrap_or_else(|| panic!("{out}")),
        lines,
        String::from_utf8_lossy(&ended.stderr).into_owned(),
    )
}

#[test]
fn rule_115_check_and_plan_need_no_live_process_in_the_program_itself() {
    for words in ["check", "plan"] {
        let (code, lines, err) = run(words);
        assert_eq!(code, 0, "{lines:?}");
        let line = |name: &str| {
            lines.iter().position(|line| line.contains(name) && line.contains("embedded.rs"))
        };
        assert!(line("heartbeat").is_some() && line("heartbeat") < line("report"), "{lines:?}");
        assert_eq!(err.contains("no program answers"), words == "plan" && cfg!(unix), "{err}");
        let (code, lines, _) = run(&format!("{words} --json"));
        let json: Vec<_> = lines.iter().filter(|line| line.starts_with('{')).collect();
        assert_eq!((code, json.len()), (0, 1), "{lines:?}");
        let value: serde_json::Value = serde_json::from_str(json[0]).expect("it is JSON");
        assert_eq!(value["services"][1]["name"], "report", "{value}");
    }
    // All else needs one.
    let (code, _, err) = run("list");
    assert!(code == 69 && err.contains("app services: "), "{err}");
}
