//! The console of the shop, at `/ops/`.

#[cfg(unix)]
use std::io::{Read as _, Write as _};
#[cfg(unix)]
use std::net::TcpStream;

use crate::fixture::{Shop, TestDir};
use crate::http;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn act(shop: &Shop, action: &str, header: &str) -> (u16, serde_json::Value) {
    let path = format!("/ops/services/{action}");
    let response = http::send_with(shop.address(), "POST", &path, header, "").unwrap();
    (response.status, response.body)
}

#[test]
fn everybody_on_this_machine_may_read_and_the_bearer_of_the_token_steers() {
    let dir = TestDir::new();
    let mut shop = dir.start_with(&[], &[("TINA4_CONSOLE_TOKEN", TOKEN)]);
    assert_eq!(act(&shop, "heartbeat/pause", "").0, 401);
    assert_eq!(act(&shop, "heartbeat/pause", "Authorization: Bearer wrong\r\n").0, 401);
    assert_eq!(shop.service("heartbeat")["state"], "waiting");
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let (status, body) = act(&shop, "heartbeat/pause", &token);
    assert_eq!((status, &body["state"]), (200, &"paused".into()), "{body}");
    shop.wait_for_log("request received", 1);

    let runs = shop.service("heartbeat")["runs"].as_u64().unwrap();
    let (status, body) = act(&shop, "heartbeat/run", &token);
    assert_eq!((status, &body["run"]), (202, &(runs + 1).into()), "{body}");
    shop.wait_until("the run", |shop| {
        (shop.service("heartbeat")["runs"].as_u64() > Some(runs)).then_some(())
    });
    let log = format!("/ops/services/heartbeat/runs/{}/log", runs + 1);
    shop.wait_until("its log", |shop| {
        shop.get(&log).body.as_str().is_some_and(|log| log.contains("alive")).then_some(())
    });
    // What the shop answered itself before it had a console.
    assert_eq!(shop.get("/health").status, 404);
    assert_eq!(shop.get("/services").status, 404);
}

#[test]
fn without_a_token_nobody_steers() {
    let dir = TestDir::new();
    let shop = dir.start(&[]);
    let (status, body) = act(&shop, "heartbeat/pause", "");
    assert_eq!(status, 403);
    assert!(body["hint"].as_str().is_some_and(|hint| hint.contains("TINA4_CONSOLE_TOKEN")));
}

#[test]
fn a_short_token_is_an_error() {
    let dir = TestDir::new();
    for token in ["", "secret", &TOKEN[1..]] {
        let variables = [("TINA4_CONSOLE_TOKEN", token)];
        let mut shop = dir.spawn_with(&["--port", "0"], &variables);
        assert_eq!(shop.wait_for_exit().code(), Some(78), "{token:?}: {}", shop.log());
        let expected = format!("has {} characters, but needs 32", token.len());
        assert!(shop.log().contains(&expected), "{}", shop.log());
        assert!(!dir.data().exists(), "nothing was started");
    }
}

/// Without the end of the streams, the server would wait for its clients, and cut them off after three seconds.
#[cfg(unix)]
#[test]
fn open_streams_of_events_do_not_delay_the_stop() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(shop.address()).unwrap();
        let host = shop.address();
        write!(stream, "GET /ops/events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut first = [0; 15];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        streams.push(stream);
    }
    shop.terminate();
    assert_eq!(shop.wait_for_exit().code(), Some(0), "{}", shop.log());
    assert!(!shop.log().contains("cut off"), "{}", shop.log());
}
