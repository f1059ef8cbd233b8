//! A shop as a child process, in a folder of its own; killed when the test lets go of it.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{self, Answer};

/// How long anything may take before a test gives up; far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many shops were started.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A folder for the shop's data. It outlives the process, so a second shop can go on from there.
pub(crate) struct Premises(TempDir);

impl Premises {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Where the database and the outbox are.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Starts a shop here, and waits until it says where it listens.
    pub(crate) fn open(&self, options: &[&str]) -> Shop {
        let mut shop = self.start(&[&["--port", "0"], options].concat());
        let address = shop.wait_until("the address", |shop| {
            let (_, rest) = shop.out().split_once("http://").map(own)?;
            rest.split_once(';')?.0.parse().ok()
        });
        shop.address = Some(address);
        shop
    }

    /// Starts a shop here, and does not wait.
    pub(crate) fn start(&self, options: &[&str]) -> Shop {
        // Each its own: two processes that write to one file write over each other.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let file = |name: &str| self.0.path().join(format!("{name}-{number}"));
        let (out, log) = (file("out"), file("log"));
        let create = |path: &Path| File::create(path).expect("a file in a temporary folder");
        let child = Command::new(env!("CARGO_BIN_EXE_shop"))
            .arg("--data")
            .arg(self.data())
            .args(options)
            .env_remove("RUST_LOG")
            .stdout(create(&out))
            .stderr(create(&log))
            .spawn()
            .expect("the shop was built");
        Shop { child, out, log, address: None }
    }

    /// The names of the mails in the outbox.
    pub(crate) fn mails(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data().join("outbox")).expect("the shop made it");
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let mut mails: Vec<_> = names
            .map(|name| name.expect("it can be read").to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".eml"))
            .collect();
        mails.sort();
        mails
    }

    /// The text of one mail.
    pub(crate) fn mail(&self, name: &str) -> String {
        fs::read_to_string(self.data().join("outbox").join(name)).expect("it was sent")
    }
}

fn own((left, right): (&str, &str)) -> (String, String) {
    (left.to_owned(), right.to_owned())
}

/// A shop that runs, or ran.
pub(crate) struct Shop {
    child: Child,
    out: PathBuf,
    log: PathBuf,
    address: Option<SocketAddr>,
}

impl Shop {
    /// What it has written to standard output.
    pub(crate) fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it has written to standard error: the log and the report.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("the shop was opened, not only started")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.answer(http::ask(self.address(), "GET", path, ""))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.answer(http::ask(self.address(), "POST", path, body))
    }

    fn answer(&self, answer: io::Result<Answer>) -> Answer {
        answer.unwrap_or_else(|error| panic!("no answer: {error}; its log:\n{}", self.log()))
    }

    /// Orders some tea; returns the order's number.
    pub(crate) fn order_tea(&self, customer: &str) -> i64 {
        let order = json!({"customer": customer, "item": "tea", "quantity": 2});
        let answer = self.post("/orders", &order.to_string());
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_i64().expect("an order has a number")
    }

    /// An order as the shop shows it.
    pub(crate) fn order(&self, id: i64) -> Value {
        self.get(&format!("/orders/{id}")).body
    }

    /// Waits until the mail of an order is in this state.
    pub(crate) fn wait_for_mail(&mut self, id: i64, state: &str) {
        self.wait_until(&format!("mail {id} {state}"), |shop| {
            (shop.order(id)["mail"] == state).then_some(())
        });
    }

    /// Ends it the hard way: no service, no hook, no destructor gets to say a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was killed");
    }

    /// Asks it to stop.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }

    /// Waits until it has ended.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        self.wait_until("the end", |shop| shop.child.try_wait().expect("it was started"))
    }

    /// Looks again and again until there is something.
    #[expect(clippy::disallowed_methods, reason = "another process runs in real time")]
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited for {what}; its log:\n{}", self.log());
            // Between two looks at another process: it cannot ring, and the deadline decides.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
