//! The router in a real axum server, and clients that speak HTTP over plain sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use tina4_service::{Runner, Service};
use tina4_service_console::{Access, Action, Console, Grant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A server on a runtime of its own, which ends when this is dropped.
struct Server {
    addr: SocketAddr,
    /// The server stops when this is dropped.
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Server {
    /// Serves a router, with or without telling it where requests come from.
    fn start(router: Router, with_connect_info: bool) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (sender, receiver) = std::sync::mpsc::channel();
        let serve = async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let stopped = async { drop(stopped.await) };
            if with_connect_info {
                let service = router.into_make_service_with_connect_info::<SocketAddr>();
                axum::serve(listener, service).with_graceful_shutdown(stopped).await.unwrap();
            } else {
                axum::serve(listener, router).with_graceful_shutdown(stopped).await.unwrap();
            }
        };
        let run = || tokio::runtime::Runtime::new().unwrap().block_on(serve);
        let thread = std::thread::Builder::new().spawn_test(run);
        let addr = receiver.recv_timeout(LIMIT).unwrap();
        Self { addr, stop, thread }
    }

    /// Sends a request, and reads the whole answer: its head, and its body.
    fn ask(&self, request: &str, headers: &str) -> (String, String) {
        let mut stream = self.open(request, headers);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
        (head.to_owned(), body.to_owned())
    }

    fn open(&self, request: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let host = self.addr;
        write!(stream, "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n")
            .unwrap();
        stream
    }

    /// Asks the server to stop, and waits until it has.
    fn stop(self) {
        drop(self.stop);
        self.thread.join().unwrap();
    }
}

/// Only something that hangs takes this long.
const LIMIT: Duration = Duration::from_secs(60);

trait SpawnTest {
    fn spawn_test(self, body: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()>;
}

impl SpawnTest for std::thread::Builder {
    #[expect(clippy::disallowed_methods, reason = "a test")]
    fn spawn_test(self, body: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
        self.spawn(body).unwrap()
    }
}

fn runner() -> Runner {
    let runner = Runner::new();
    runner.register(Service::new("mail", |_| {}).interval("1h").initial_delay("1h")).unwrap();
    runner.start_all().unwrap();
    runner
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn rule_113_the_console_is_mounted_anywhere() {
    let runner = runner();
    let console = Console::new(&runner);
    let nested = Router::new().nest_service("/b", console.clone());
    let router = Router::new()
        .route("/", get(|| async { "the program" }))
        .nest("/a", nested)
        .nest_service("/ops", console.clone());
    let server = Server::start(router, true);
    for mount in ["/a/b", "/ops"] {
        // Without its slash, relative links would lead elsewhere.
        let (head, _) = server.ask(&format!("GET {mount}"), "");
        let last = mount.rsplit('/').next().unwrap();
        assert_eq!((status(&head), header(&head, "location")), (308, Some(&*format!("./{last}/"))));
        assert_guarded(&head);
        let (head, _) = server.ask(&format!("GET {mount}?tag=a%20b"), "");
        assert_eq!(header(&head, "location"), Some(&*format!("./{last}/?tag=a%20b")));
        for path in ["/", "/services", "/services/mail", "/services/mail/runs", "/services?tag=x"] {
            let (head, _) = server.ask(&format!("GET {mount}{path}"), "");
            assert_eq!(status(&head), 200, "{mount}{path}: {head}");
        }
        for path in ["/none", "/services/", "/services/none"] {
            let (head, _) = server.ask(&format!("GET {mount}{path}"), "");
            assert_eq!(status(&head), 404, "{mount}{path}");
            assert_eq!(header(&head, "content-type"), Some("application/problem+json"));
        }
        let (head, _) = server.ask(&format!("POST {mount}/services/mail/run"), "");
        assert_eq!(status(&head), 403, "{mount}");
    }
    let (head, body) = server.ask("GET /", "");
    assert_eq!((status(&head), body.contains("the program")), (200, true));
    let at_the_root = Server::start(Router::new().fallback_service(console), true);
    assert_eq!(status(&at_the_root.ask("GET /services", "").0), 200);
    assert_eq!(status(&at_the_root.ask("GET /", "").0), 200);
}

#[test]
fn rule_113_without_connect_info_the_console_is_closed_and_says_why() {
    let runner = runner();
    let token = "0123456789abcdef0123456789abcdef";
    let router = Router::new().nest_service("/ops", Console::new(&runner));
    let server = Server::start(router, false);
    let (head, body) = server.ask("GET /ops/services", "");
    assert_eq!(status(&head), 403);
    assert!(body.contains("into_make_service_with_connect_info::<SocketAddr>()"), "{body}");
    // With the token it does not matter.
    let console = Console::new(&runner).token(token).unwrap();
    let server = Server::start(Router::new().nest_service("/ops", console), false);
    let (head, _) =
        server.ask("POST /ops/services/mail/pause", &format!("authorization: Bearer {token}\r\n"));
    assert_eq!(status(&head), 200);
    assert_eq!(runner.status()["mail"].to_string(), "paused");
}

#[test]
fn rule_113_what_the_login_of_the_program_grants_counts() {
    let runner = runner();
    let login = async |mut request: Request, next: Next| {
        let user = request.headers().get("x-user").and_then(|user| user.to_str().ok());
        let grant: Grant = match user {
            Some("alice") => Access::Operate.by("alice"),
            Some("bob") => Access::Only(&[Action::Pause]).by("bob"),
            _ => Access::None.into(),
        };
        request.extensions_mut().insert(grant);
        next.run(request).await
    };
    let router = Router::new().nest_service("/ops", Console::new(&runner)).layer(from_fn(login));
    let server = Server::start(router, true);
    let ask =
        |request: &str, user: &str| status(&server.ask(request, &format!("x-user: {user}\r\n")).0);
    assert_eq!(ask("GET /ops/services", ""), 403);
    assert_eq!(ask("GET /ops/services", "bob"), 200);
    assert_eq!(ask("POST /ops/services/mail/pause", "bob"), 200);
    assert_eq!(ask("POST /ops/services/mail/resume", "bob"), 403);
    assert_eq!(ask("POST /ops/services/mail/resume", "alice"), 200);
}

#[test]
fn rule_113_a_body_that_is_too_long_is_not_read() {
    let runner = runner();
    let server = Server::start(Router::new().nest_service("/ops", Console::new(&runner)), true);
    let mut stream = server.open("POST /ops/services/mail/pause", "content-length: 1000000000\r\n");
    let part = vec![b'x'; 20_000];
    stream.write_all(&part).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    assert_eq!(status(&head), 413);
    assert_guarded(&head);
}

#[test]
fn rule_113_a_body_that_does_not_arrive_is_not_called_too_long() {
    let runner = runner();
    let server = Server::start(Router::new().nest_service("/ops", Console::new(&runner)), true);
    let (head, body) = server.ask(
        "POST /ops/services/mail/pause",
        "transfer-encoding: chunked\r\n\r\nthis is no length of a chunk\r\n",
    );
    assert_eq!(status(&head), 400);
    assert!(body.contains("did not arrive whole"), "{body}");
    assert_guarded(&head);
}

#[test]
fn rule_113_a_target_and_a_host_that_disagree_are_refused() {
    let runner = runner();
    let server = Server::start(Router::new().nest_service("/ops", Console::new(&runner)), true);
    let own = server.addr;
    let (head, _) = server.ask(&format!("GET http://{own}/ops/services"), "");
    assert_eq!(status(&head), 200, "{head}");
    for target in ["http://evil.example/ops/services", "http://localhost/ops/services"] {
        let (head, body) = server.ask(&format!("GET {target}"), "");
        assert_eq!(status(&head), 400, "{target}: {body}");
        assert!(body.contains("name different hosts"), "{body}");
        assert_guarded(&head);
    }
}

#[test]
fn rule_113_a_panic_is_an_answer_as_any_other() {
    let runner = runner();
    let console = Console::new(&runner).access(|_| -> Grant { panic!("no database") });
    let server = Server::start(Router::new().nest_service("/ops", console), true);
    let (head, _) = server.ask("GET /ops/services", "");
    assert_eq!(status(&head), 500);
    assert_guarded(&head);
}

/// Nothing that the console answers is kept, framed or taken for something else.
#[track_caller]
fn assert_guarded(head: &str) {
    assert_eq!(header(head, "x-content-type-options"), Some("nosniff"), "{head}");
    assert_eq!(header(head, "cache-control"), Some("no-store"), "{head}");
    let policy = header(head, "content-security-policy");
    assert!(policy.is_some_and(|policy| policy.starts_with("default-src 'none'")), "{head}");
    assert_eq!(head.matches("content-security-policy").count(), 1, "{head}");
}

/// Reads the stream of events up to a line that contains a text.
fn read_until(stream: &mut impl BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the stream ended before {text}");
    }
}

#[test]
fn rule_113_open_streams_of_events_do_not_delay_a_graceful_shutdown() {
    let runner = runner();
    let console = Console::new(&runner);
    let server = Server::start(Router::new().nest_service("/ops", console), true);
    let mut streams: Vec<_> =
        (0..3).map(|_| BufReader::new(server.open("GET /ops/events", ""))).collect();
    for stream in &mut streams {
        read_until(stream, "text/event-stream");
        read_until(stream, r#""name":"mail""#);
    }
    runner.pause("mail").unwrap();
    for stream in &mut streams {
        read_until(stream, r#""state":"paused""#);
    }
    // As in a service of the runner: the server is asked to stop when the runner is.
    runner.stop_all();
    server.stop();
    for mut stream in streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.ends_with("0\r\n\r\n"), "it ends as it should: {rest:?}");
    }
}

#[test]
fn rule_118_a_client_that_has_gone_is_forgotten() {
    let runner = runner();
    let server = Server::start(Router::new().nest_service("/ops", Console::new(&runner)), true);
    // More than there may be at once.
    for _ in 0..50 {
        let mut stream = BufReader::new(server.open("GET /ops/events", ""));
        // The server notices that a client has gone when it writes.
        loop {
            let mut head = String::new();
            stream.read_line(&mut head).unwrap();
            match status(&head) {
                200 => break,
                status => assert_eq!(status, 503),
            }
            runner.pause("mail").unwrap();
            runner.resume("mail").unwrap();
            stream = BufReader::new(server.open("GET /ops/events", ""));
        }
    }
}
