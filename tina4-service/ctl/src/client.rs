//! A client of the console: HTTP/1.1 over a unix socket or a port, with a limit for each wait.

mod response;
mod stream;

use std::io::{BufReader, Read as _, Write as _};
use std::time::Duration;

use serde::Deserialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use response::Head;
use stream::Stream;

/// The most bytes of an answer: 100,000 services have 120 MB.
const MAX_BODY: u64 = 1024 * 1024 * 1024;

/// How long a stream of events may be silent.
const QUIET: Duration = Duration::from_secs(60);

/// A client of a console.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    place: Place,
    timeout: Duration,
    token: Option<String>,
}

/// A stream of server-sent events.
pub(crate) struct Events(BufReader<Stream>);

/// What the console says about a refusal.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
    hint: Option<String>,
}

impl Client {
    pub(crate) fn new(place: Place, timeout: Duration, token: Option<String>) -> Self {
        Self { place, timeout, token }
    }

    /// Gets what is at a path, such as `/services`.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.request("GET", path, None)
    }

    /// Gets what is at a path, such as `/health`, where a program that is not ready answers with status 503.
    pub(crate) fn get_even_if_down(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let (head, stream) = self.send("GET", path, None)?;
        let body = self.read_body(&head, stream)?;
        let is_answer = head.status == 503 && head.content_type.starts_with("application/json");
        if head.status == 200 || is_answer { Ok(body) } else { Err(self.refusal(&head, &body)) }
    }

    /// Posts JSON to a path.
    pub(crate) fn post(&self, path: &str, body: &str) -> Result<Vec<u8>, Failure> {
        self.request("POST", path, Some(body))
    }

    /// The events at a path. Nothing comes for as long as nothing changes, but a comment every 15 seconds.
    pub(crate) fn events(&self, path: &str) -> Result<Events, Failure> {
        let patient = Self { timeout: self.timeout.max(QUIET), ..self.clone() };
        let (head, stream) = patient.send("GET", path, None)?;
        if head.status == 200 && head.content_type.starts_with("text/event-stream") {
            return Ok(Events(stream));
        }
        let body = self.read_body(&head, stream)?;
        Err(self.refusal(&head, &body))
    }

    fn request(&self, method: &str, path: &str, body: Option<&str>) -> Result<Vec<u8>, Failure> {
        let (head, stream) = self.send(method, path, body)?;
        let body = self.read_body(&head, stream)?;
        if (200..300).contains(&head.status) { Ok(body) } else { Err(self.refusal(&head, &body)) }
    }

    /// Sends a request, and reads the head of its answer.
    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<(Head, BufReader<Stream>), Failure> {
        let unreachable = |error: std::io::Error| self.unreachable(&error);
        let mut stream = Stream::connect(&self.place, self.timeout).map_err(unreachable)?;
        let (host, mount) = match &self.place {
            Place::Socket(_) => ("localhost", ""),
            Place::Port { address, mount } => (&**address, &**mount),
        };
        let mut request =
            format!("{method} {mount}{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        if let Some(token) = &self.token {
            request.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        if let Some(body) = body {
            request.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            ));
        }
        request.push_str("\r\n");
        request.push_str(body.unwrap_or_default());
        // An answer may come before the request was read, such as that there are too many connections.
        let sent = stream.write_all(request.as_bytes());
        let mut stream = BufReader::new(stream);
        match Head::read(&mut stream) {
            Ok(Some(head)) => Ok((head, stream)),
            Ok(None) => Err(Failure::new(
                Exit::Unreachable,
                format!("what answers at {} is no console", self.place),
            )
            .hint("check the path or the URL")),
            Err(error) => Err(self.unreachable(&sent.err().unwrap_or(error))),
        }
    }

    fn read_body(&self, head: &Head, stream: BufReader<Stream>) -> Result<Vec<u8>, Failure> {
        let limit = head.length.unwrap_or(MAX_BODY);
        if limit > MAX_BODY {
            return Err(Failure::new(Exit::Unreachable, "the answer is too long"));
        }
        let mut body =
            Vec::with_capacity(usize::try_from(limit.min(64 * 1024 * 1024)).unwrap_or(0));
        let read = stream.take(limit).read_to_end(&mut body);
        read.map_err(|error| self.unreachable(&error))?;
        if head.length.is_some_and(|length| length != body.len() as u64) {
            return Err(Failure::new(
                Exit::Unreachable,
                format!("{} broke off in the middle of its answer", self.place),
            )
            .hint("look at its log"));
        }
        Ok(body)
    }

    fn unreachable(&self, error: &std::io::Error) -> Failure {
        use std::io::ErrorKind as Kind;
        let place = &self.place;
        let (exit, problem, hint) = match (error.kind(), place) {
            (Kind::PermissionDenied, _) => (
                Exit::NotPermitted,
                format!("you may not use {place}"),
                "use the account of the program, or root",
            ),
            (Kind::NotFound | Kind::ConnectionRefused, Place::Socket(_)) => (
                Exit::Unreachable,
                format!("no program answers at {place}"),
                "start it with a socket, or name another one with `--socket`",
            ),
            (Kind::ConnectionRefused, Place::Port { .. }) => (
                Exit::Unreachable,
                format!("no program answers at {place}"),
                "start it, or name another address with `--url`",
            ),
            (Kind::TimedOut | Kind::WouldBlock, _) => (
                Exit::Unreachable,
                format!("{place} does not answer"),
                "look at the program, or wait longer with `--timeout SECONDS`",
            ),
            _ => (
                Exit::Unreachable,
                format!("{place} cannot be reached: {error}"),
                "look at its log",
            ),
        };
        Failure::new(exit, problem).hint(hint)
    }

    fn refusal(&self, head: &Head, body: &[u8]) -> Failure {
        let status = head.status;
        let problem = head
            .content_type
            .starts_with("application/problem+json")
            .then(|| serde_json::from_slice::<Problem>(body).ok())
            .flatten();
        let Some(Problem { title, detail, hint }) = problem else {
            let text = String::from_utf8_lossy(body);
            let text = text.lines().next().unwrap_or_default();
            let text: String = text.chars().take(200).collect();
            let exit = match status {
                401 | 403 => Exit::NotPermitted,
                // That of the program itself, not of its console.
                404 => Exit::Unreachable,
                _ => Exit::Refused,
            };
            let failure =
                Failure::new(exit, format!("{} answers with status {status}: {text}", self.place));
            return if status == 404 { failure.hint("check the path of the URL") } else { failure };
        };
        let exit = match status {
            401 | 403 => Exit::NotPermitted,
            404 if title.starts_with("unknown ") => Exit::Unknown,
            _ => Exit::Refused,
        };
        // The console speaks of its own paths.
        let hint = match hint {
            Some(hint) if exit == Exit::Unknown && hint.contains("GET services") => {
                Some("`list` shows all of them".to_owned())
            }
            hint => hint,
        };
        Failure { exit, problem: detail.unwrap_or(title), hint }
    }
}

impl Events {
    /// Waits for the data of the next event; `None`: the stream has ended.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        response::next_event(&mut self.0).map_err(|error| {
            Failure::new(Exit::Unreachable, format!("the stream of events broke off: {error}"))
                .hint("look at the log of the program")
        })
    }
}
