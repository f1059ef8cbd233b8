//! Rule 116: what systemd is told, with a socket like its own, and the files for those who deploy a program.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::{TIMEOUT, millis, pause, until, workspace};

/// A child with a socket for its messages.
struct Unit {
    child: std::process::Child,
    socket: UnixDatagram,
    /// All assignments so far, and how many of them were looked at.
    seen: Vec<String>,
    looked_at: usize,
}

impl Unit {
    fn start(scenario: &str, watchdog: Option<Duration>) -> Self {
        let name = std::thread::current().name().unwrap_or_default().replace("::", "-");
        let path =
            format!("/tmp/tina4-{}-{}", std::process::id(), &name[name.len().saturating_sub(40)..]);
        let _ = fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        let mut command = Command::new(env!("CARGO_BIN_EXE_notifies"));
        command.arg(scenario).env("NOTIFY_SOCKET", &path);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        if let Some(watchdog) = watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        let child = command.spawn().expect("a child");
        Self { child, socket, seen: Vec::new(), looked_at: 0 }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// Receives the next message.
    fn receive(&mut self) {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("a message in time");
        let text = String::from_utf8(buffer[..length].to_vec()).expect("text");
        assert!(text.ends_with('\n'), "{text:?}");
        self.seen.extend(text.lines().map(str::to_owned));
    }

    /// Waits for an assignment that begins like this, after those that were waited for; one message may have several.
    #[track_caller]
    fn wait_for(&mut self, start: &str) -> String {
        loop {
            while self.looked_at == self.seen.len() {
                self.receive();
            }
            self.looked_at += 1;
            let line = &self.seen[self.looked_at - 1];
            if line.starts_with(start) {
                return line.clone();
            }
        }
    }

    fn let_it_become_ready(&mut self) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        input.write_all(b"go\n").expect("it reads");
    }

    fn has_seen(&self, line: &str) -> bool {
        self.seen.iter().any(|seen| seen == line)
    }

    fn stop(mut self) -> (Option<i32>, Vec<String>) {
        nix::sys::signal::kill(self.pid(), Signal::SIGTERM).expect("it runs");
        let code = self.child.wait().expect("it ends").code();
        self.socket.set_nonblocking(true).expect("a socket");
        let mut buffer = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            self.seen.extend(text.lines().map(str::to_owned));
        }
        (code, std::mem::take(&mut self.seen))
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Ok(address) = self.socket.local_addr()
            && let Some(path) = address.as_pathname()
        {
            let _ = fs::remove_file(path);
        }
    }
}

#[test]
fn rule_116_ready_status_and_stopping_come_in_order() {
    let mut unit = Unit::start("fails", None);
    assert_eq!(unit.wait_for("STATUS="), "STATUS=3 services");
    assert!(!unit.has_seen("READY=1"), "`slow` is not ready: {:?}", unit.seen);
    unit.let_it_become_ready();
    unit.wait_for("READY=1");
    unit.wait_for("STATUS=3 services; not healthy: mailer (failed)");
    let (code, seen) = unit.stop();
    assert_eq!(code, Some(0));
    let position = |start: &str| {
        let found: Vec<_> = (0..seen.len()).filter(|nth| seen[*nth].starts_with(start)).collect();
        assert_eq!(found.len(), 1, "{start}: {seen:?}");
        found[0]
    };
    assert!(position("READY=1") < position("STOPPING=1"), "{seen:?}");
    let extended = &seen[position("EXTEND_TIMEOUT_USEC=")];
    let micros: u64 = extended.split_once('=').expect("a number").1.parse().expect("a number");
    // The quiesce time of 100 ms, the shutdown timeout of 25 s, and a margin of 2 s, as soon as it began.
    assert!((26_000_000..=27_100_000).contains(&micros), "{extended}");
    assert!(!seen.contains(&"WATCHDOG=1".to_owned()), "there is no watchdog");
}

#[test]
fn rule_116_the_engine_pings_the_watchdog_also_during_long_runs_and_before_it_is_ready() {
    let mut unit = Unit::start("", Some(millis(200)));
    for _ in 0..5 {
        unit.wait_for("WATCHDOG=1");
    }
    assert!(!unit.has_seen("READY=1"));
    unit.let_it_become_ready();
    unit.wait_for("READY=1");
    for _ in 0..5 {
        unit.wait_for("WATCHDOG=1");
    }
    assert_eq!(unit.stop().0, Some(0));
}

/// All threads of the engine are frozen, and the process lives on: a thread that pings by itself would go on.
#[test]
fn rule_116_and_112_no_ping_comes_from_an_engine_that_stands_still() {
    let mut unit = Unit::start("", Some(millis(100)));
    unit.let_it_become_ready();
    unit.wait_for("READY=1");
    unit.wait_for("WATCHDOG=1");
    let tasks = format!("/proc/{}/task", unit.child.id());
    let workers = || -> Vec<Pid> {
        fs::read_dir(&tasks)
            .expect("threads")
            .filter_map(|task| {
                let path = task.ok()?.path();
                let name = fs::read_to_string(path.join("comm")).ok()?;
                let id = path.file_name()?.to_str()?.parse().ok()?;
                // The main thread and those of the program are not frozen.
                let is_worker = name.starts_with("tina4-") && !name.starts_with("tina4-signals");
                let is_body = ["slow", "blocks"].contains(&name.trim());
                (is_worker || is_body).then(|| Pid::from_raw(id))
            })
            .collect()
    };
    let mut frozen: Vec<Pid> = Vec::new();
    // One of them may have started another one before it was frozen.
    while let Some(worker) = workers().into_iter().find(|worker| !frozen.contains(worker)) {
        if let Err(error) = ptrace::seize(worker, ptrace::Options::empty()) {
            eprintln!("left out: threads cannot be frozen here ({error})");
            return;
        }
        ptrace::interrupt(worker).expect("it is traced");
        let is_stopped = || {
            let state = fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
            state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('t'))
        };
        until("the thread is frozen", is_stopped);
        frozen.push(worker);
    }
    assert!(frozen.len() >= 2, "{frozen:?}");
    // What it sent before.
    unit.socket.set_read_timeout(Some(millis(10))).expect("a timeout");
    let mut buffer = [0; 4096];
    while unit.socket.recv(&mut buffer).is_ok() {}
    // Ten times as long as pings are apart.
    unit.socket.set_read_timeout(Some(millis(500))).expect("a timeout");
    assert!(unit.socket.recv(&mut buffer).is_err(), "a ping came from elsewhere");
    assert!(unit.child.try_wait().expect("a child").is_none(), "the process lives");
    for worker in frozen {
        ptrace::detach(worker, None).expect("it is traced");
    }
    unit.socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    unit.looked_at = unit.seen.len();
    unit.wait_for("WATCHDOG=1");
}

#[test]
fn rule_116_nothing_is_told_if_the_builder_says_so() {
    let mut unit = Unit::start("off", Some(millis(50)));
    unit.let_it_become_ready();
    pause(millis(200));
    let (_, seen) = unit.stop();
    assert_eq!(seen, Vec::<String>::new());
}

/// The value of a key in a file of the folder `deploy`.
fn value(text: &str, key: &str) -> String {
    let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(key));
    line.unwrap_or_else(|| panic!("no `{key}`")).trim().trim_end_matches('s').to_owned()
}

fn deployed(file: &str) -> String {
    let path = workspace().join("tina4-service/deploy").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn rule_116_the_unit_file_fits_the_program() {
    let unit = deployed("tina4.service");
    assert_eq!(value(&unit, "Type="), "notify");
    assert_eq!(value(&unit, "RestartPreventExitStatus="), "78");
    let seconds = |key: &str| value(&unit, key).parse::<u64>().expect("seconds");
    assert!(seconds("TimeoutStopSec=") >= 25 + 5 + 5, "shutdown timeout, quiesce time, margin");
    assert!(seconds("WatchdogSec=") >= 10);
    assert!(!unit.contains("ExecReload"), "SIGHUP stops the program");
    // Where systemd is installed, it reads the file itself.
    let file = std::env::temp_dir().join(format!("tina4-{}.service", std::process::id()));
    let shown = unit.replace("/usr/local/bin/shop", "/bin/true").replace("User=shop", "User=root");
    fs::write(&file, shown).expect("a file");
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let about_it: Vec<_> = text.lines().filter(|line| line.contains("tina4-")).collect();
            assert!(about_it.is_empty(), "{text}");
        }
        Err(error) => eprintln!("left out: systemd-analyze ({error})"),
    }
    let _ = fs::remove_file(file);
}

#[test]
fn rule_116_and_112_the_manifest_fits_the_program() {
    let manifest = deployed("kubernetes.yml");
    let seconds = |key: &str| value(&manifest, key).parse::<u64>().expect("seconds");
    assert!(seconds("terminationGracePeriodSeconds:") > 25 + 5);
    let lines: Vec<_> = manifest.lines().map(str::trim).collect();
    let after = |line: &str| lines[lines.iter().position(|l| *l == line).expect(line) + 1];
    assert_eq!(after("- name: TINA4_SERVICES__QUIESCE"), "value: 5s");
    assert_eq!(after("- name: TINA4_SERVICES__SHUTDOWN_TIMEOUT"), "value: 25s");
    for (probe, path) in
        [("startupProbe:", "/readyz"), ("livenessProbe:", "/livez"), ("readinessProbe:", "/readyz")]
    {
        assert_eq!(after(probe), format!("httpGet: {{ path: {path}, port: http }}"));
    }
    // The variables are those of the program.
    let runner = tina4_service::Runner::builder().only::<&str>([]);
    let variables =
        [("TINA4_SERVICES__QUIESCE", "5s"), ("TINA4_SERVICES__SHUTDOWN_TIMEOUT", "25s")];
    let runner = runner.env_vars(variables).build();
    runner.register(tina4_service::Service::new("s", |_| {})).unwrap();
    let plan = runner.check().unwrap();
    assert_eq!(plan.overridden().len(), 2, "{plan}");
    // Tabs are an error in YAML, and so is a wrong depth.
    assert!(!manifest.contains('\t'));
    let depth = |line: &str| line.len() - line.trim_start().len();
    assert!(manifest.lines().all(|line| depth(line) % 2 == 0));
}
