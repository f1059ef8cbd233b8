//! Runs a program of this package as a child process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::{Stopwatch, TIMEOUT, best_of, spawn};

/// A child process, which is killed if it is dropped before its end.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    lines: Receiver<String>,
    /// Its standard error: line by line, and the whole text at the end.
    error_lines: Receiver<String>,
    errors: Receiver<String>,
    seen: Vec<String>,
    stopwatch: Stopwatch,
}

/// Calls `for_line` with each line of `source`, if there is one.
fn for_each_line(source: Option<impl Read>, for_line: impl FnMut(String)) {
    if let Some(source) = source {
        BufReader::new(source).lines().map_while(Result::ok).for_each(for_line);
    }
}

/// Makes the command start with the default actions of signals. A shell that runs the tests in the
/// background makes them ignore SIGINT, `nohup` makes them ignore SIGHUP, and children inherit that.
#[cfg(unix)]
fn default_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    use nix::sys::signal::{SigHandler, Signal, signal};

    let reset = || {
        for number in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
            // SAFETY: the default action runs no code of this program.
            unsafe { signal(number, SigHandler::SigDfl) }?;
        }
        Ok(())
    };
    // SAFETY: `signal` is async-signal-safe, and `reset` does nothing else.
    unsafe { command.pre_exec(reset) };
}

/// The end of a child process.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output, line by line.
    pub out: Vec<String>,
    /// Its standard error.
    pub err: String,
    /// How long it ran, as measured by the parent.
    pub took: Duration,
}

impl Child {
    /// Starts a program: `env!("CARGO_BIN_EXE_..")` is its path.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        Self::run(&mut command)
    }

    /// Starts a command.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn run(command: &mut Command) -> Self {
        Self::run_with(command, Stdio::piped(), Stdio::piped())
    }

    /// Starts a command with these outputs; only piped output can be read.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn run_with(command: &mut Command, out: Stdio, err: Stdio) -> Self {
        let stopwatch = Stopwatch::start();
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        #[cfg(unix)]
        default_signals(command);
        let mut process = command.spawn().expect("the child starts");
        // Otherwise the command would keep its ends of the pipes open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (line, lines) = crossbeam_channel::unbounded();
        let (error_line, error_lines) = crossbeam_channel::unbounded();
        let out = process.stdout.take();
        spawn(move || for_each_line(out, |text| drop(line.send(text))));
        let err = process.stderr.take();
        let (error, errors) = crossbeam_channel::bounded(1);
        spawn(move || {
            let mut all = String::new();
            for_each_line(err, |text| {
                all += &text;
                all.push('\n');
                drop(error_line.send(text));
            });
            let _ = error.send(all);
        });
        Self { process, lines, error_lines, errors, seen: Vec::new(), stopwatch }
    }

    /// Waits until the child prints this line to standard error.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_error_line(&self, wanted: &str) {
        loop {
            let line = self.error_lines.recv_timeout(TIMEOUT);
            if line.unwrap_or_else(|error| panic!("waited for `{wanted}`: {error}")) == wanted {
                return;
            }
        }
    }

    /// Waits until the child prints this line.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_line(&mut self, wanted: &str) {
        let printed = self.wait_for_line_or_end(wanted);
        assert!(printed, "it ended without `{wanted}`; it printed {:?}", self.seen);
    }

    /// Waits until the child prints a line that begins with this, and returns the rest of it.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_line_with(&mut self, start: &str) -> String {
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => {
                    let rest = line.strip_prefix(start).map(str::to_owned);
                    self.seen.push(line);
                    if let Some(rest) = rest {
                        return rest;
                    }
                }
                Err(error) => panic!("`{start}`: {error}; it printed {:?}", self.seen),
            }
        }
    }

    /// Waits until the child prints a line that contains this.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_line_containing(&mut self, part: &str) {
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => {
                    let is_wanted = line.contains(part);
                    self.seen.push(line);
                    if is_wanted {
                        return;
                    }
                }
                Err(error) => panic!("`{part}`: {error}; it printed {:?}", self.seen),
            }
        }
    }

    /// Waits until the child has printed these lines, in any order.
    ///
    /// # Panics
    ///
    /// If a line takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_lines(&mut self, wanted: &[&str]) {
        let mut left = wanted.to_vec();
        while !left.is_empty() {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => {
                    left.retain(|wanted| *wanted != line);
                    self.seen.push(line);
                }
                Err(error) => panic!("{left:?}: {error}; it printed {:?}", self.seen),
            }
        }
    }

    /// Waits until the child prints this line or ends without it. Returns whether it printed the
    /// line.
    ///
    /// # Panics
    ///
    /// If neither happens within [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_line_or_end(&mut self, wanted: &str) -> bool {
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) if line == wanted => {
                    self.seen.push(line);
                    return true;
                }
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("timed out waiting for `{wanted}`; it printed {:?}", self.seen)
                }
            }
        }
    }

    /// Waits until the child has a handler for SIGINT, the last one that it installs. Returns
    /// immediately on systems without `/proc`.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`].
    #[cfg(unix)]
    #[track_caller]
    pub fn wait_for_signal_handlers(&self) {
        let file = format!("/proc/{}/status", self.process.id());
        let stopwatch = Stopwatch::start();
        while let Ok(status) = std::fs::read_to_string(&file) {
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            if caught.is_none_or(|mask| mask & 1 << (nix::libc::SIGINT - 1) != 0) {
                return;
            }
            assert!(stopwatch.elapsed() < TIMEOUT, "the child installs no handlers");
            std::thread::yield_now();
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// If the child has ended and was waited for.
    #[cfg(unix)]
    #[track_caller]
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = i32::try_from(self.process.id()).expect("a process id");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal)
            .expect("the child is running");
    }

    /// Sends a signal to the child and, like GNU `timeout`, to its process group, too.
    ///
    /// # Panics
    ///
    /// If the child does not lead a group, or has ended and was waited for.
    #[cfg(unix)]
    #[track_caller]
    pub fn signal_twice(&self, signal: nix::sys::signal::Signal) {
        self.signal(signal);
        let id = i32::try_from(self.process.id()).expect("a process id");
        let group = nix::unistd::Pid::from_raw(id);
        nix::sys::signal::killpg(group, signal).expect("the child leads a group");
    }

    /// Kills the process (SIGKILL), unless it has ended by itself. Returns its end.
    ///
    /// # Panics
    ///
    /// If the system cannot wait for it.
    #[track_caller]
    #[must_use]
    pub fn kill(mut self) -> Ended {
        // It fails if the process has ended.
        let _ = self.process.kill();
        self.process.wait().expect("the child can be waited for");
        self.wait()
    }

    /// Kills several processes at the same moment: each before any of their ends is waited for.
    ///
    /// # Panics
    ///
    /// As [`kill`](Self::kill).
    #[track_caller]
    pub fn kill_all(children: impl IntoIterator<Item = Self>) -> Vec<Ended> {
        let mut children: Vec<_> = children.into_iter().collect();
        for child in &mut children {
            // It fails if the process has ended.
            let _ = child.process.kill();
        }
        children.into_iter().map(Self::kill).collect()
    }

    /// Waits for the end of the process.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let since_call = Stopwatch::start();
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("the child can be waited for") {
                break status;
            }
            if since_call.elapsed() > TIMEOUT {
                let printed: Vec<_> = self.lines.try_iter().collect();
                panic!("the child does not end; it printed {printed:?}");
            }
            crate::pause(Duration::from_millis(1));
        };
        let took = self.stopwatch.elapsed();
        // The end of the process closes both pipes.
        let err = self.errors.recv_timeout(TIMEOUT).expect("the end of the errors");
        self.seen.extend(self.lines.iter());
        Ended { status, out: std::mem::take(&mut self.seen), err, took }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Usually the process has ended, and this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Ended {
    /// Runs a child until one ends this soon after its start, up to five times, as [`best_of`] says.
    /// Returns that one.
    ///
    /// # Panics
    ///
    /// If none does.
    #[track_caller]
    #[must_use]
    pub fn within(what: &str, limit: Duration, mut run: impl FnMut() -> Self) -> Self {
        let mut last = None;
        best_of(5, what, limit, || {
            let ended = run();
            let code_before = last.as_ref().map(|last: &Self| last.status);
            assert!(
                code_before.is_none_or(|code| code == ended.status),
                "it ends differently: {ended:?}"
            );
            last.insert(ended).took
        });
        last.expect("there was a round")
    }

    /// The exit code.
    ///
    /// # Panics
    ///
    /// If a signal ended it.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:?}"))
    }

    /// The lines on standard error that start with `word`, without that word.
    #[must_use]
    pub fn errors(&self, word: &str) -> Vec<&str> {
        self.err.lines().filter_map(|line| line.strip_prefix(word)).map(str::trim).collect()
    }
}
