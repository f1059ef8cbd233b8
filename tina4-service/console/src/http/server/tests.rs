use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use tina4_service::{Runner, Service, Stopped};

use super::*;
use crate::answer::{Answer, Body};
use crate::console::Console;
use crate::request::Request;

/// How long a test waits; only a hang reaches it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Limits that no test reaches.
const LIMITS: Limits = Limits {
    request: Limits::DEFAULT.request,
    connections: 8,
    idle: TIMEOUT,
    arrival: TIMEOUT,
    answer: TIMEOUT,
    linger: TIMEOUT,
    stop: Duration::from_millis(1),
};

/// A server in a runner of its own.
struct Server {
    runner: Runner,
    address: SocketAddr,
}

impl Server {
    /// Serves the console of its own runner.
    fn with_console(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        let runner = Runner::new();
        let console = Console::new(&runner);
        let handler: Arc<Handler> = Arc::new(move |request: &Request| console.answer(request));
        Self::serve(limits, handler, listener, address, runner)
    }

    /// Answers with `handler`, which gets the path and the body.
    fn start(
        limits: Limits,
        handler: impl Fn(&str, &[u8]) -> String + Send + Sync + 'static,
    ) -> Self {
        let handler: Arc<Handler> = Arc::new(move |request: &Request| Answer {
            status: 200,
            headers: vec![("content-type", "text/plain".to_owned())],
            body: Body::Bytes(handler(&request.path, &request.body).into_bytes()),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        Self::serve(limits, handler, listener, address, Runner::new())
    }

    fn serve(
        limits: Limits,
        handler: Arc<Handler>,
        listener: TcpListener,
        address: SocketAddr,
        runner: Runner,
    ) -> Self {
        let server = Service::new("server", move |context| {
            let listener = listener.try_clone()?;
            serve(Listener::Tcp(listener), &handler, limits, context)
        });
        runner.register(server).expect("it has no faults");
        runner.start_all().expect("it has no faults");
        Self { runner, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("it is not zero");
        stream.set_write_timeout(Some(TIMEOUT)).expect("it is not zero");
        stream
    }

    /// Connects, sends this, and returns what comes until the server closes the connection.
    fn exchange(&self, sent: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(sent).expect("it reads");
        rest(&mut stream)
    }
}

/// What comes until the server closes the connection.
fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("the server closes the connection");
    String::from_utf8_lossy(&text).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

/// Reads one answer with a body of this text.
fn expect_answer(stream: &mut TcpStream, body: &str) {
    let expected = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut read = vec![0; expected.len()];
    stream.read_exact(&mut read).expect("it answers");
    assert_eq!(String::from_utf8_lossy(&read), expected);
}

#[test]
fn rule_115_several_requests_share_a_connection_and_are_answered_in_order() {
    let server =
        Server::start(LIMITS, |path, body| format!("{path} {}", String::from_utf8_lossy(body)));
    let mut stream = server.connect();
    let post = "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    let text = format!("{}{post}{}", get("/1"), get("/3"));
    // In two pieces, in the middle of a body.
    let (first, second) = text.split_at(text.find("bc").expect("it is there"));
    stream.write_all(first.as_bytes()).expect("it reads");
    expect_answer(&mut stream, "/1 ");
    stream.write_all(second.as_bytes()).expect("it reads");
    expect_answer(&mut stream, "/2 abc");
    expect_answer(&mut stream, "/3 ");
    stream
        .write_all(b"HEAD /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .expect("it reads");
    let head = rest(&mut stream);
    assert!(head.ends_with("content-length: 3\r\nconnection: close\r\n\r\n"), "{head}");
}

#[test]
fn rule_115_a_request_that_is_refused_ends_the_connection_and_the_client_learns_why() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let server = Server::start(LIMITS, move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        String::new()
    });
    let smuggled = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{}",
        get("/")
    );
    let answer = server.exchange(smuggled.as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.matches("HTTP/").count() == 1,
        "{answer}"
    );
    assert!(answer.contains("`Content-Length` and `Transfer-Encoding`"), "{answer}");
    // Although the client is still sending.
    let head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    let answer = server.exchange(&[head, vec![b'x'; 1_000_000]].concat());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn rule_115_a_client_that_is_slow_or_silent_is_ended() {
    let moment = Duration::from_millis(20);
    let limits = Limits { idle: moment, arrival: Duration::from_millis(500), ..LIMITS };
    let server = Server::start(limits, |_, _| String::new());
    assert_eq!(server.exchange(b""), "");
    // A busy machine may take longer than a moment to send the first byte.
    let server = Server::start(Limits { idle: TIMEOUT, ..limits }, |_, _| String::new());
    let answer = server.exchange(b"GET / HTTP/1.1\r\nHo");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // Each byte comes in time, the request does not.
    let mut stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_millis(5))).expect("it is not zero");
    let mut start = [0; 12];
    let mut sent = 0;
    while stream.read_exact(&mut start).is_err() {
        stream.write_all(b"x").expect("it is told before the connection ends");
        sent += 1;
        assert!(sent < 4 * 1024, "it reads for ever");
    }
    assert_eq!(String::from_utf8_lossy(&start), "HTTP/1.1 408");
    // A client that does not read its answer.
    let limits = Limits { answer: moment, ..LIMITS };
    let server = Server::start(limits, |_, _| "x".repeat(64 * 1024 * 1024));
    let mut stream = server.connect();
    stream.write_all(get("/").as_bytes()).expect("it reads");
    // It cannot send a second request once the server has given up.
    let mut tries = 0;
    while stream.write_all(b"x").is_ok() {
        tries += 1;
        assert!(tries < 6_000, "the connection does not end");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn rule_115_the_number_of_connections_is_bounded_and_idle_ones_make_room() {
    let (entered, entries) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let limits = Limits { connections: 2, ..LIMITS };
    let server = Server::start(limits, move |path, _| {
        if path == "/wait" {
            entered.send(()).expect("the test waits");
            // An error means that the test has failed.
            let _ = gate.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        path.to_owned()
    });
    let mut idle = server.connect();
    idle.write_all(get("/1").as_bytes()).expect("it reads");
    expect_answer(&mut idle, "/1");
    let mut busy = server.connect();
    busy.write_all(get("/wait").as_bytes()).expect("it reads");
    entries.recv_timeout(TIMEOUT).expect("it is called");
    // The idle one makes room for the third, though perhaps only a moment after its answer.
    let mut third = loop {
        let mut third = server.connect();
        third.write_all(get("/3").as_bytes()).expect("it reads");
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"/3") && matches!(third.read(&mut byte), Ok(1)) {
            answer.push(byte[0]);
        }
        if answer.starts_with(b"HTTP/1.1 200 ") {
            break third;
        }
    };
    assert_eq!(rest(&mut idle), "");
    third.write_all(get("/wait").as_bytes()).expect("it reads");
    entries.recv_timeout(TIMEOUT).expect("it is called");
    // Now all are busy.
    let mut fourth = server.connect();
    let refused = rest(&mut fourth);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    for stream in [&mut busy, &mut third] {
        release.send(()).expect("it waits");
        expect_answer(stream, "/wait");
    }
}

#[test]
fn rule_115_a_panic_ends_one_connection() {
    let limits = Limits { connections: 1, ..LIMITS };
    let server = Server::start(limits, |path, _| match path {
        "/panic" => panic!("on purpose"),
        _ => path.to_owned(),
    });
    assert_eq!(server.exchange(get("/panic").as_bytes()), "");
    // Its place is free again, though perhaps a moment later.
    loop {
        let mut stream = server.connect();
        stream.write_all(get("/x").as_bytes()).expect("it reads");
        let mut start = [0; 12];
        if stream.read_exact(&mut start).is_ok() && start == *b"HTTP/1.1 200" {
            return;
        }
    }
}

#[test]
fn rule_115_the_server_stops_at_once_whatever_its_clients_do() {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let (entered, entries) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let server = Server::start(Limits { stop: Limits::DEFAULT.stop, ..LIMITS }, move |_, _| {
            entered.send(()).expect("the test waits");
            // An error means that the test has ended.
            let _ = gate.lock().unwrap_or_else(PoisonError::into_inner).recv();
            String::new()
        });
        let (mut silent, mut slow, mut waiting) =
            (server.connect(), server.connect(), server.connect());
        slow.write_all(b"GET / HT").expect("it reads");
        waiting.write_all(get("/").as_bytes()).expect("it reads");
        entries.recv_timeout(TIMEOUT).expect("it is called");
        let stopped = server.runner.stop("server").expect("it is running");
        let Stopped::Ended { after } = stopped else { panic!("{stopped:?}") };
        shortest = shortest.min(after);
        for stream in [&mut silent, &mut slow, &mut waiting] {
            // It may be reset.
            let _ = stream.read_to_end(&mut Vec::new());
        }
        drop(release);
        if shortest < Duration::from_secs(1) {
            return;
        }
    }
    panic!("the fastest of five stops took {shortest:?}");
}

#[test]
fn rule_115_a_client_that_waits_for_nothing_does_not_delay_the_stop() {
    let server = Server::start(Limits { stop: TIMEOUT, ..LIMITS }, |path, _| path.to_owned());
    let mut silent = server.connect();
    let mut served = server.connect();
    served.write_all(get("/1").as_bytes()).expect("it reads");
    expect_answer(&mut served, "/1");
    // The other one was accepted before, and waits, too. Otherwise it would be refused, which this test would not notice.
    let stopped = server.runner.stop("server").expect("it is running");
    assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
    assert_eq!((rest(&mut silent), rest(&mut served)), (String::new(), String::new()));
}

/// Opens a stream of events, and reads its first block.
fn open_events(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\n\n") {
        stream.read_exact(&mut byte).expect("it sends a block");
        text.push(char::from(byte[0]));
    }
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("connection: close"), "{text}");
    stream
}

#[test]
fn rule_115_a_stream_of_events_ends_when_its_client_goes() {
    // As long as the first one has its connection, there is no second one.
    let server = Server::with_console(Limits { connections: 1, ..LIMITS });
    let first = open_events(&server);
    assert!(server.exchange(b"").starts_with("HTTP/1.1 503 "));
    drop(first);
    loop {
        let mut stream = server.connect();
        stream.write_all(get("/livez").as_bytes()).expect("it reads");
        let mut start = [0; 12];
        // The refusal may come before the request was sent.
        if stream.read_exact(&mut start).is_ok() && start == *b"HTTP/1.1 200" {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn rule_115_a_stream_of_events_ends_when_the_server_stops() {
    let server = Server::with_console(Limits { stop: TIMEOUT, ..LIMITS });
    let mut stream = open_events(&server);
    let stopped = server.runner.stop("server").expect("it is running");
    assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
    rest(&mut stream);
}
