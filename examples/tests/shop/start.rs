//! Starting, failing to start, and stopping with `--for`.

use std::net::TcpListener;

use crate::fixture::TestDir;

#[test]
fn it_stops_after_the_time_of_the_option_for() {
    let dir = TestDir::new();
    let mut shop = dir.start(&["--for", "1s"]);
    let status = shop.wait_for_exit();
    assert_eq!(status.code(), Some(0), "{}", shop.log());
    assert!(shop.log().contains("services ended in"), "{}", shop.log());
}

#[test]
fn a_port_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let dir = TestDir::new();
    let mut shop = dir.spawn(&["--port", &port]);
    assert_eq!(shop.wait_for_exit().code(), Some(1));
    let expected = format!("shop: cannot listen on 127.0.0.1:{port}");
    assert!(shop.log().contains(&expected), "{}", shop.log());
    assert!(!dir.data().exists(), "nothing was started");
}

#[test]
fn a_directory_in_use_is_an_error() {
    let dir = TestDir::new();
    let _first = dir.start(&[]);
    let mut second = dir.spawn(&["--port", "0"]);
    assert_eq!(second.wait_for_exit().code(), Some(1));
    assert!(second.log().contains("another shop uses"), "{}", second.log());
}

#[test]
fn an_invalid_command_line_is_an_error() {
    let dir = TestDir::new();
    for (options, named) in [
        (&["--prot", "0"][..], "--prot"),
        (&["--port", "many"], "many"),
        (&["--for", "5"], "no unit"),
        (&["--queue", "mysql://localhost"], "`postgres://..` or `redis://..`"),
    ] {
        let mut shop = dir.spawn(options);
        assert_eq!(shop.wait_for_exit().code(), Some(2), "{options:?}");
        let log = shop.log();
        assert!(log.contains(named) && log.contains("--help"), "{options:?}: {log}");
    }
}

#[test]
fn a_queue_that_cannot_be_reached_is_an_error() {
    let free = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    for scheme in ["postgres", "redis"] {
        let dir = TestDir::new();
        let address = format!("{scheme}://user:secret@127.0.0.1:{port}/");
        let mut shop = dir.spawn(&["--port", "0", "--queue", &address]);
        assert_eq!(shop.wait_for_exit().code(), Some(1), "{}", shop.log());
        let log = shop.log();
        assert!(log.contains("shop: cannot use the mail queue: "), "{log}");
        assert!(!log.contains("secret"), "{log}");
    }
}

#[test]
fn help_is_printed() {
    let dir = TestDir::new();
    let mut shop = dir.spawn(&["--help"]);
    assert_eq!(shop.wait_for_exit().code(), Some(0));
    assert!(shop.out().contains("--port"), "{}", shop.out());
}
