//! A runner with a socket, and the command line that speaks to it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tina4_service::{Runner, Service, ServiceInfo};
use tina4_service_console::socket;

/// How many times a test looks whether something has become true, with a pause after each.
const LOOKS: u32 = 6_000;

/// Waits until something is true.
#[track_caller]
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_true() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("waited for {what}");
}

/// How a command has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Services with a socket.
pub(crate) struct Live {
    pub(crate) runner: Runner,
    pub(crate) dir: TempDir,
}

impl Live {
    /// Starts the services, and waits until each of them is in the state that the tests expect.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runner = Runner::new();
        let live = Self { runner, dir };
        let runs =
            |context: &tina4_service::Context| while context.sleep(Duration::from_secs(3_600)) {};
        for service in [
            Service::new("heartbeat", |_| {}).interval("1h"),
            Service::new("mail.send", runs).tags(["mail"]),
            Service::new("mail.sort", |_| {}).interval("1h").tags(["mail"]),
            Service::new("quick", |_| {}).interval("1h").tags(["quick"]),
            Service::new("report", |_| {}).cron("0 8 * * *").timezone("UTC"),
            Service::new("broken", |_| Err::<(), _>("connection refused"))
                .interval("1h")
                .max_restarts(0),
            Service::new("flaky", |_| Err::<(), _>("no route to host"))
                .interval("1h")
                .initial_delay("1h"),
            socket(live.socket()),
        ] {
            live.runner.register(service).unwrap();
        }
        live.runner.start_all().unwrap();
        until("the first runs", || {
            let status = live.runner.status();
            let is = |name: &str, state: &str| status[name].to_string() == state;
            is("heartbeat", "waiting")
                && is("mail.sort", "waiting")
                && is("quick", "waiting")
                && is("mail.send", "running")
                && is("broken", "failed")
        });
        until("the socket", || std::os::unix::net::UnixStream::connect(live.socket()).is_ok());
        live
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("run/services.sock")
    }

    pub(crate) fn count(&self) -> usize {
        8
    }

    pub(crate) fn service(&self, name: &str) -> ServiceInfo {
        self.runner
            .services()
            .into_iter()
            .find(|service| service.name == name)
            .expect("it is there")
    }

    /// Runs a command over the socket.
    pub(crate) fn ctl(&self, words: &[&str]) -> Ended {
        let socket = self.socket();
        ctl_with(words, &[("TINA4_SERVICES_SOCKET", socket.to_str().unwrap())])
    }
}

/// A command with these words and these variables only.
pub(crate) fn command(words: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tina4ctl"));
    command.args(words).stdin(Stdio::null());
    for name in
        ["TINA4_SERVICES_SOCKET", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "TINA4_CONSOLE_TOKEN"]
    {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command
}

pub(crate) fn ctl(words: &[&str]) -> Ended {
    ctl_with(words, &[])
}

pub(crate) fn ctl_with(words: &[&str], variables: &[(&str, &str)]) -> Ended {
    let ended = command(words, variables).output().expect("it was built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    Ended {
        code: ended.status.code().expect("no signal ended it"),
        out: text(ended.stdout),
        err: text(ended.stderr),
    }
}
