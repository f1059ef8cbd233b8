//! Runs a program of this package as a child: for all that concerns a whole process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::{PATIENCE, Stopwatch, spawn};

/// A child program; killed if it is dropped before its end.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    seen: Vec<String>,
    watch: Stopwatch,
}

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output, line by line.
    pub out: Vec<String>,
    /// Its standard error.
    pub err: String,
    /// How long it lived, seen from here.
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
        let watch = Stopwatch::start();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the child starts");
        let out = process.stdout.take().expect("its output is a pipe");
        let mut err = process.stderr.take().expect("its errors are a pipe");
        let (line, lines) = crossbeam_channel::unbounded();
        spawn(move || {
            let all = BufReader::new(out).lines().map_while(Result::ok);
            all.for_each(|text| drop(line.send(text)));
        });
        let (error, errors) = crossbeam_channel::bounded(1);
        spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text);
            let _ = error.send(text);
        });
        Self { process, lines, errors, seen: Vec::new(), watch }
    }

    /// Waits until the child prints this line.
    ///
    /// # Panics
    ///
    /// If that does not come within [`PATIENCE`].
    #[track_caller]
    pub fn says(&mut self, wanted: &str) {
        let said = self.says_before_its_end(wanted);
        assert!(said, "it ended without `{wanted}`; it said {:?}", self.seen);
    }

    /// Waits until the child prints this line, or ends without it.
    ///
    /// # Panics
    ///
    /// If neither comes within [`PATIENCE`].
    #[track_caller]
    pub fn says_before_its_end(&mut self, wanted: &str) -> bool {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == wanted => {
                    self.seen.push(line);
                    return true;
                }
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("waited for `{wanted}` in vain; it said {:?}", self.seen)
                }
            }
        }
    }

    /// Waits until the child has handlers of its own for SIGINT, the last one that it installs;
    /// at once where nothing says so.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`].
    #[cfg(unix)]
    #[track_caller]
    pub fn catches_signals(&self) {
        let file = format!("/proc/{}/status", self.process.id());
        let watch = Stopwatch::start();
        while let Ok(status) = std::fs::read_to_string(&file) {
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            if caught.is_none_or(|mask| mask & 1 << (nix::libc::SIGINT - 1) != 0) {
                return;
            }
            assert!(watch.elapsed() < PATIENCE, "the child catches no signals");
            std::thread::yield_now();
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// If the child is gone.
    #[cfg(unix)]
    #[track_caller]
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = i32::try_from(self.process.id()).expect("a process id");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).expect("the child is there");
    }

    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// If that does not come within [`PATIENCE`].
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        // Both pipes are closed by the end of the process.
        let err = self.errors.recv_timeout(PATIENCE);
        let took = self.watch.elapsed();
        let Ok(err) = err else {
            panic!(
                "the child does not end; it said {:?}",
                self.lines.try_iter().collect::<Vec<_>>()
            );
        };
        self.seen.extend(self.lines.iter());
        let status = self.process.wait().expect("the child ends");
        Ended { status, out: std::mem::take(&mut self.seen), err, took }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Fails if it has ended, which is the usual case.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Ended {
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

    /// The lines on standard error that start with `word`, without it.
    #[must_use]
    pub fn errors(&self, word: &str) -> Vec<&str> {
        self.err.lines().filter_map(|line| line.strip_prefix(word)).map(str::trim).collect()
    }
}
