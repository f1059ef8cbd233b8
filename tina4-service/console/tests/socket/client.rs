//! A client that says what a test tells it to say.

use std::io::{Read, Write};
#[cfg(target_os = "linux")]
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How long a test waits; only a hang reaches it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// How many times a test looks whether something has become true, with a pause after each.
const LOOKS: u32 = 6_000;

/// Waits until something is true.
#[track_caller]
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_true() {
            return;
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    panic!("waited for {what}");
}

/// Waits until a socket accepts a connection.
#[track_caller]
pub(crate) fn wait_for(path: &Path) {
    until("the socket", || UnixStream::connect(path).is_ok());
}

/// Waits until a port accepts a connection.
#[cfg(target_os = "linux")]
#[track_caller]
pub(crate) fn wait_for_port(address: &str) {
    until("the port", || TcpStream::connect(address).is_ok());
}

/// The answer on a socket, with its head.
pub(crate) fn get_on(path: &Path, target: &str) -> String {
    let mut stream = UnixStream::connect(path).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("it is not zero");
    exchange(&mut stream, "GET", target, "localhost")
}

/// The answer on a port, with its head.
#[cfg(target_os = "linux")]
pub(crate) fn get(address: &str, method: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("it is not zero");
    exchange(&mut stream, method, target, address)
}

fn exchange(stream: &mut (impl Read + Write), method: &str, target: &str, host: &str) -> String {
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    answer
}

/// Asks for something and leaves the connection open.
pub(crate) fn open(path: &Path, target: &str) -> UnixStream {
    let mut stream = UnixStream::connect(path).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("it is not zero");
    write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
    stream
}

/// Reads until a text has come.
pub(crate) fn read_until(stream: &mut UnixStream, text: &str) {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&read).contains(text) {
        let count = stream.read(&mut buffer).expect("it sends more");
        assert!(count > 0, "it ended with {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..count]);
    }
}

/// Reads until the server closes the connection.
pub(crate) fn read_to_end(stream: &mut UnixStream) {
    stream.read_to_end(&mut Vec::new()).expect("it closes the connection");
}
