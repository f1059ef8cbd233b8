//! A shop as a child process with its own data directory; killed when the test drops it.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{self, Response};

/// How long a test waits for anything; far longer than it should take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How many shops have been started.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A temporary directory for the shop's data. It outlives the process, so that another shop can
/// continue with the same data.
pub(crate) struct TestDir(TempDir);

impl TestDir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Where the database and the outbox are.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Starts a shop, and waits until it prints its address.
    pub(crate) fn start(&self, options: &[&str]) -> Shop {
        self.start_with(options, &[])
    }

    /// [`TestDir::start`] with these environment variables.
    pub(crate) fn start_with(&self, options: &[&str], variables: &[(&str, &str)]) -> Shop {
        let mut shop = self.spawn_with(&[&["--port", "0"], options].concat(), variables);
        let address = shop.wait_until("the address", |shop| {
            let out = shop.out();
            let (_, rest) = out.split_once("http://")?;
            rest.split_once(';')?.0.parse().ok()
        });
        shop.address = Some(address);
        shop
    }

    /// Starts a shop without waiting for it.
    pub(crate) fn spawn(&self, options: &[&str]) -> Shop {
        self.spawn_with(options, &[])
    }

    /// [`TestDir::spawn`] with these environment variables.
    pub(crate) fn spawn_with(&self, options: &[&str], variables: &[(&str, &str)]) -> Shop {
        // Separate files: two processes that write to one file overwrite each other's output.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let file = |name: &str| self.0.path().join(format!("{name}-{number}"));
        let (out, log) = (file("out"), file("log"));
        let create = |path: &Path| File::create(path).expect("a file in a temporary directory");
        let child = Command::new(env!("CARGO_BIN_EXE_shop"))
            .arg("--data")
            .arg(self.data())
            .args(options)
            .env_remove("RUST_LOG")
            .envs(variables.iter().copied())
            .stdout(create(&out))
            .stderr(create(&log))
            .spawn()
            .expect("the shop was built");
        Shop { child, out, log, address: None }
    }

    /// The names of the emails in the outbox.
    pub(crate) fn emails(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data().join("outbox")).expect("the shop created it");
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let mut emails: Vec<_> = names
            .map(|name| name.expect("it can be read").to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".eml"))
            .collect();
        emails.sort();
        emails
    }

    /// The text of one email.
    pub(crate) fn email(&self, name: &str) -> String {
        fs::read_to_string(self.data().join("outbox").join(name)).expect("it was sent")
    }
}

/// A shop that is running or has ended.
pub(crate) struct Shop {
    child: Child,
    out: PathBuf,
    log: PathBuf,
    address: Option<SocketAddr>,
}

impl Shop {
    /// Its standard output so far.
    pub(crate) fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Its standard error so far: the log and the report.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("the shop was started, not only spawned")
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.expect_response(http::send(self.address(), "GET", path, ""))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Response {
        self.expect_response(http::send(self.address(), "POST", path, body))
    }

    fn expect_response(&self, response: io::Result<Response>) -> Response {
        response.unwrap_or_else(|error| panic!("no response: {error}; the log:\n{}", self.log()))
    }

    /// Orders some tea; returns the order's number.
    pub(crate) fn order_tea(&self, customer: &str) -> i64 {
        let order = json!({"customer": customer, "item": "tea", "quantity": 2});
        let response = self.post("/orders", &order.to_string());
        assert_eq!(response.status, 201, "{response:?}");
        response.body["id"].as_i64().expect("an order has a number")
    }

    /// An order, as the HTTP interface returns it.
    pub(crate) fn order(&self, id: i64) -> Value {
        self.get(&format!("/orders/{id}")).body
    }

    /// Waits until the log contains this text so many times. A line may follow what it reports.
    pub(crate) fn wait_for_log(&mut self, text: &str, count: usize) {
        self.wait_until(text, |shop| (shop.log().matches(text).count() >= count).then_some(()));
    }

    /// Waits until the email of an order is in this state.
    pub(crate) fn wait_for_email(&mut self, id: i64, state: &str) {
        self.wait_until(&format!("email {id} {state}"), |shop| {
            (shop.order(id)["mail"] == state).then_some(())
        });
    }

    /// What the console shows of a service.
    pub(crate) fn service(&self, name: &str) -> Value {
        let response = self.get(&format!("/ops/services/{name}"));
        assert_eq!(response.status, 200, "{response:?}");
        response.body
    }

    /// Waits until it is ready, which first runs have to end for, and checks that nothing is wrong with a service.
    pub(crate) fn expect_healthy(&mut self) {
        self.wait_until("readiness", |shop| (shop.get("/ops/readyz").status == 200).then_some(()));
        let health = self.get("/ops/health");
        assert_eq!((health.status, &health.body["status"]), (200, &"ok".into()), "{health:?}");
    }

    /// The jobs of the mail queue in each state, as the list of services shows them, and those that this shop has done.
    pub(crate) fn queue(&self) -> Value {
        let queue = &self.service("email_consumer")["queue"];
        let mut jobs = queue["backlog"].clone();
        jobs["done"] = queue["counters"]["done"].clone();
        jobs
    }

    /// Waits until this many jobs of the mail queue are in this state.
    pub(crate) fn wait_for_jobs(&mut self, state: &str, count: u64) {
        self.wait_until(&format!("{count} jobs {state}"), |shop| {
            (shop.queue()[state] == count).then_some(())
        });
    }

    /// Kills it: no service, hook or destructor can react.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it was killed");
    }

    /// Sends SIGTERM.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is running");
    }

    /// Waits until it has exited.
    pub(crate) fn wait_for_exit(&mut self) -> ExitStatus {
        self.wait_until("its exit", |shop| shop.child.try_wait().expect("it was started"))
    }

    /// Polls until `poll` returns something.
    #[expect(clippy::disallowed_methods, reason = "another process runs in real time")]
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        mut poll: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited for {what}; the log:\n{}", self.log());
            // Another process cannot notify this one, so the test polls.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // An error means that it has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
