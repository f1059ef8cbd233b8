//! A process with a socket: this test program again, which then does nothing else.

use std::env;
use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdout, Command, Stdio};

use tina4_service::{Runner, Service};
use tina4_service_console::socket;

/// The variable that makes this program the child.
const PATH: &str = "TINA4_TEST_CHILD_SOCKET";

/// A process with a socket. Dropping it kills it.
pub(crate) struct Child {
    process: process::Child,
    /// Kept open, because the child panics if it cannot print.
    out: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts a process with this umask, in octal digits.
    pub(crate) fn start(path: &Path, umask: &str) -> Self {
        let child = Command::new("sh")
            .args(["-c", "umask \"$0\"; exec \"$@\"", umask])
            .arg(env::current_exe().expect("this program has a path"))
            .args(["child::this_is_the_child_process", "--exact", "--nocapture"])
            .env(PATH, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = child.expect("there is a shell");
        let out = BufReader::new(process.stdout.take().expect("it is a pipe")).lines();
        Self { process, out }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line, and checks the value that it gives.
    pub(crate) fn wait_for(&mut self, name: &str, value: &str) {
        let mut lines = self.out.by_ref().map(|line| line.expect("it is text"));
        let line = lines.find_map(|line| line.split_once(name).map(|(_, rest)| rest.to_owned()));
        assert_eq!(
            line.expect("the line").trim().trim_start_matches('0'),
            value.trim_start_matches('0')
        );
    }

    pub(crate) fn kill(&mut self) {
        // An error means that it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Serves a socket until the parent ends; without a path, this is an empty test.
#[test]
fn this_is_the_child_process() {
    let Some(path) = env::var_os(PATH).map(PathBuf::from) else { return };
    let runner = Runner::new();
    runner.register(Service::new("heartbeat", |_| {}).interval("1h")).unwrap();
    runner.register(socket(path.clone())).unwrap();
    runner.start_all().unwrap();
    super::client::wait_for(&path);
    let umask = Command::new("sh").args(["-c", "umask"]).output().unwrap().stdout;
    println!("umask {}", String::from_utf8_lossy(&umask));
    // The end of the input is the end of the parent.
    let _ = std::io::stdin().read(&mut [0]);
    runner.stop_all();
}
