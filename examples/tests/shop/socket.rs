//! The console on a unix socket: what `tina4ctl` speaks to.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::fixture::{Shop, TestDir};

/// Asks for something on the socket of a shop.
fn ask(shop: &mut Shop, path: &std::path::Path, request: &str) -> UnixStream {
    let mut stream = shop.wait_until("the socket", |_| UnixStream::connect(path).ok());
    write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the shop reads");
    stream
}

/// Reads until this text has come.
fn read_until(stream: &mut UnixStream, text: &str) {
    let mut read = String::new();
    let mut buffer = [0; 4096];
    while !read.contains(text) {
        let count = stream.read(&mut buffer).expect("the shop answers");
        assert!(count > 0, "it ended with {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}

#[test]
fn rule_115_the_socket_answers_and_an_open_stream_does_not_delay_the_stop() {
    let dir = TestDir::new();
    let socket = dir.data().join("run/services.sock");
    let mut shop = dir.start(&["--socket", &socket.to_string_lossy()]);
    let mut list = ask(&mut shop, &socket, "GET /services");
    read_until(&mut list, "\"heartbeat\"");
    let mut paused = ask(&mut shop, &socket, "POST /services/heartbeat/pause");
    read_until(&mut paused, "\"paused\"");
    shop.wait_for_log("service paused", 1);
    let mut events = ask(&mut shop, &socket, "GET /events");
    read_until(&mut events, "\"heartbeat\"");
    shop.terminate();
    let status = shop.wait_for_exit();
    assert_eq!(status.code(), Some(0), "{}", shop.log());
    assert!(
        shop.log().contains("services ended in") && !shop.log().contains("abandoned"),
        "{}",
        shop.log()
    );
    assert!(!socket.exists());
    events.read_to_end(&mut Vec::new()).expect("it has ended");
}
