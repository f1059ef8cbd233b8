//! Starting, or not, with a reason; and ending by itself.

use std::net::TcpListener;

use crate::fixture::Premises;

#[test]
fn it_closes_by_itself() {
    let premises = Premises::new();
    let mut shop = premises.open(&["--for", "1s"]);
    let end = shop.wait_for_end();
    assert_eq!(end.code(), Some(0), "{}", shop.log());
    assert!(shop.log().contains("services ended in"), "{}", shop.log());
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let premises = Premises::new();
    let mut shop = premises.start(&["--port", &port]);
    assert_eq!(shop.wait_for_end().code(), Some(1));
    let said = format!("shop: cannot listen on 127.0.0.1:{port}");
    assert!(shop.log().contains(&said), "{}", shop.log());
    assert!(!premises.data().exists(), "nothing was started");
}

#[test]
fn a_folder_that_is_taken_is_an_error() {
    let premises = Premises::new();
    let _first = premises.open(&[]);
    let mut second = premises.start(&["--port", "0"]);
    assert_eq!(second.wait_for_end().code(), Some(1));
    assert!(second.log().contains("another shop uses"), "{}", second.log());
}

#[test]
fn a_bad_command_line_is_an_error() {
    let premises = Premises::new();
    for (options, named) in [
        (&["--prot", "0"][..], "--prot"),
        (&["--port", "many"], "many"),
        (&["--for", "5"], "no unit"),
    ] {
        let mut shop = premises.start(options);
        assert_eq!(shop.wait_for_end().code(), Some(2), "{options:?}");
        let said = shop.log();
        assert!(said.contains(named) && said.contains("--help"), "{options:?}: {said}");
    }
}

#[test]
fn help_is_help() {
    let premises = Premises::new();
    let mut shop = premises.start(&["--help"]);
    assert_eq!(shop.wait_for_end().code(), Some(0));
    assert!(shop.out().contains("--port"), "{}", shop.out());
}
