//! A small client of the WebDriver protocol, for chromedriver.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long something may take. Only what hangs takes that long.
const LIMIT: Duration = Duration::from_secs(60);

/// The key of an element in JSON, as the standard says.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';

/// One browser with one page. It ends when this is dropped.
pub(crate) struct Browser {
    address: String,
    session: String,
    /// One browser at a time, because each takes a good part of a small machine.
    _turn: MutexGuard<'static, ()>,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser")
    }
}

/// An element of the page.
#[derive(Clone, Debug)]
pub(crate) struct Element(String);

impl Browser {
    /// Starts a browser. `None`: there is none, which is said.
    pub(crate) fn start() -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let Ok(address) = std::env::var("TINA4_TEST_WEBDRIVER") else {
            assert!(
                std::env::var("TINA4_TEST_BROWSER").is_err(),
                "a browser is required, and `TINA4_TEST_WEBDRIVER` is not set; run `.ci/browser cargo test`"
            );
            // Not with `eprintln!`, whose output is shown for failed tests only.
            let _ = writeln!(
                std::io::stderr(),
                "left out: a test of the console in a browser, because `TINA4_TEST_WEBDRIVER` is not set; run \
                 `.ci/browser cargo test`"
            );
            return None;
        };
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let address = address.strip_prefix("http://").expect("an address").to_owned();
        // Root, as which CI runs, cannot use Chromium's sandbox. Nothing but the test is to use the network.
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ];
        // Chromedriver creates an empty profile for each browser.
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let created = call(&address, "POST", "/session", &wanted);
        let session = created["sessionId"].as_str().expect("a session").to_owned();
        Some(Self { address, session, _turn: turn })
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        call(&self.address, "POST", &format!("/session/{}{path}", self.session), body)
    }

    fn get(&self, path: &str) -> Value {
        call(&self.address, "GET", &format!("/session/{}{path}", self.session), &Value::Null)
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    pub(crate) fn url(&self) -> String {
        self.get("/url").as_str().expect("a URL").to_owned()
    }

    pub(crate) fn title(&self) -> String {
        self.get("/title").as_str().expect("a title").to_owned()
    }

    /// Executes a script, which may `return` something.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of the DevTools protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    pub(crate) fn set_script_enabled(&self, enabled: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": !enabled}));
    }

    pub(crate) fn set_width(&self, width: u32) {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    pub(crate) fn set_scheme(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    /// The only element that an XPath finds, once there is one.
    pub(crate) fn find(&self, path: &str) -> Element {
        let found = until(path, || {
            let found = self.post("/elements", &json!({"using": "xpath", "value": path}));
            match found.as_array().map(Vec::as_slice) {
                Some([one]) => one[ELEMENT].as_str().map(str::to_owned),
                Some(_) | None => None,
            }
        });
        Element(found)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        let found = self.post("/elements", &json!({"using": "xpath", "value": path}));
        found.as_array().is_some_and(|found| !found.is_empty())
    }

    /// Waits until the page has what an XPath describes.
    pub(crate) fn wait_for(&self, path: &str) {
        let find = || self.has(path).then_some(());
        until(path, find);
    }

    /// Clicks the only element that an XPath finds. It may be replaced at any time, so the click is repeated then.
    pub(crate) fn click(&self, path: &str) {
        until(path, || {
            let Element(id) = self.find(path);
            let path = format!("/session/{}/element/{id}/click", self.session);
            try_call(&self.address, "POST", &path, &json!({})).ok()
        });
    }

    /// Types into what has the focus.
    pub(crate) fn press(&self, keys: &str) {
        let press = |key: char| {
            let key = key.to_string();
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    /// The text of what has the focus.
    pub(crate) fn focused(&self) -> String {
        let focused = self
            .run("const e = document.activeElement; return e.textContent || e.name || e.tagName");
        focused.as_str().unwrap_or_default().trim().to_owned()
    }

    /// Checks that the browser's log has neither errors nor violations of the content security policy, apart from the
    /// refusals that the test has provoked.
    pub(crate) fn check_log(&self, expected: &[&str]) {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        for entry in log.as_array().expect("a log") {
            let message = entry["message"].as_str().unwrap_or_default();
            let is_expected = expected.iter().any(|expected| message.contains(expected));
            assert!(is_expected, "the browser says: {entry}");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        // While a test fails, its own message is what matters.
        let _ = try_call(&self.address, "DELETE", &path, &Value::Null);
    }
}

/// Repeats a question until it has an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "the browser lives in real time")]
    let now = Instant::now;
    let start = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(now() - start < LIMIT, "in vain: {what}");
        #[expect(clippy::disallowed_methods, reason = "nobody tells when a page has changed")]
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn call(address: &str, method: &str, path: &str, body: &Value) -> Value {
    try_call(address, method, path, body)
        .unwrap_or_else(|error| panic!("{method} {path} {body}: {error}"))
}

/// Sends a request to chromedriver, on a connection of its own.
fn try_call(address: &str, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let sent = send(address, method, path, &body);
    let (status, answer) = sent.map_err(|error| error.to_string())?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    if status.starts_with("HTTP/1.1 200") { Ok(value) } else { Err(value["message"].to_string()) }
}

fn send(address: &str, method: &str, path: &str, body: &str) -> std::io::Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(2 * LIMIT))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    // Chromedriver leaves the connection open, so the length says where the answer ends.
    let mut answer = BufReader::new(stream);
    let (mut status, mut length) = (String::new(), 0);
    answer.read_line(&mut status)?;
    loop {
        let mut header = String::new();
        answer.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok((status, body))
}
