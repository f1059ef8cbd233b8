//! The console on a unix socket, on a port, and on a port for probes, with real connections and real processes.
#![cfg(unix)]

mod child;
mod client;

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use tina4_service::{Change, Runner, Service, Stopped};
#[cfg(target_os = "linux")]
use tina4_service_console::{Console, probes, serve};
use tina4_service_console::{Socket, socket};

use child::Child;
#[cfg(target_os = "linux")]
use client::get;
use client::{get_on, wait_for};

/// Starts a runner with this service, and one that has something to show.
fn start(front_end: Service) -> Runner {
    let runner = Runner::new();
    runner.register(Service::new("heartbeat", |_| {}).interval("1h")).unwrap();
    runner.register(front_end).unwrap();
    runner.start_all().unwrap();
    runner
}

/// Starts a runner whose socket cannot be opened, and returns why.
fn refusal(socket_at: impl Into<Socket>) -> String {
    let runner = Runner::new();
    let events = runner.subscribe();
    runner.register(socket(socket_at)).unwrap();
    runner.start_all().unwrap();
    loop {
        let event = events.recv_timeout(client::TIMEOUT).expect("it crashes");
        if let Change::Crashed { cause, .. } = event.change {
            return cause.to_string();
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn rule_115_the_socket_is_0600_in_a_directory_0700_under_any_umask() {
    for umask in ["000", "022", "077", "777"] {
        let dir = tempfile::tempdir().unwrap();
        // One that is created, and one that exists and that everybody may enter.
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        for parent in [dir.path().join("new"), open] {
            let path = parent.join("services.sock");
            let mut child = Child::start(&path, umask);
            child.wait_for("umask", umask);
            wait_for(&path);
            let directory = if parent.ends_with("new") { 0o700 } else { 0o755 };
            assert_eq!((mode(&parent), mode(&path)), (directory, 0o600), "{umask}");
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
            let names: Vec<_> =
                fs::read_dir(&parent).unwrap().map(|at| at.unwrap().file_name()).collect();
            assert_eq!(names.len(), 2, "{names:?}");
            assert_eq!(mode(&parent.join("services.lock")), 0o600);
            let answer = get_on(&path, "/services");
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && answer.contains("heartbeat"),
                "{answer}"
            );
        }
    }
}

#[test]
fn rule_115_a_second_process_is_refused_with_the_pid_of_the_first_and_takes_over_after_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run").join("services.sock");
    let mut first = Child::start(&path, "022");
    wait_for(&path);
    let error = refusal(path.clone());
    let expected = format!("another process (pid {}) serves the socket", first.id());
    assert!(error.contains(&expected) && error.contains(&path.display().to_string()), "{error}");
    assert!(get_on(&path, "/services").contains("heartbeat"), "the first one goes on");
    // Killed, it leaves its socket behind, which nobody serves.
    first.kill();
    assert!(UnixStream::connect(&path).is_err() && path.exists());
    let runner = start(socket(path.clone()));
    wait_for(&path);
    assert!(get_on(&path, "/services").contains("heartbeat"));
    // Stopped, it removes it.
    runner.stop_all();
    assert!(!path.exists());
}

#[test]
fn rule_115_a_socket_is_not_opened_where_others_could_replace_it() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o770, 0o707, 0o1777] {
        let shared = dir.path().join(format!("{mode:o}"));
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(mode)).unwrap();
        let error = refusal(shared.join("services.sock"));
        assert!(error.contains("can be written to by others"), "{error}");
        assert!(fs::read_dir(&shared).unwrap().next().is_none(), "nothing is left there");
    }
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = refusal(file.join("services.sock"));
    assert!(error.contains("is no directory"), "{error}");
    let error = refusal(dir.path().join("a/b/services.sock"));
    assert!(error.contains("cannot create the directory"), "{error}");
    let long = dir.path().join("x".repeat(100));
    let error = refusal(long.join("services.sock"));
    assert!(error.starts_with("permanent error: ") && error.contains("too long"), "{error}");
    // What somebody has put there is not removed.
    let path = dir.path().join("mine/services.sock");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, "precious").unwrap();
    let error = refusal(path.clone());
    assert!(error.contains("something else than a socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    // The same with another user's directory, which only root can make.
    let foreign = dir.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    if std::os::unix::fs::chown(&foreign, Some(65534), None).is_ok() {
        let error = refusal(foreign.join("services.sock"));
        assert!(error.contains("belongs to another user"), "{error}");
    }
}

#[test]
fn rule_115_a_stale_socket_without_a_lock_is_replaced_and_a_foreign_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("services.sock");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    let runner = start(socket(path.clone()));
    wait_for(&path);
    assert!(get_on(&path, "/services").contains("heartbeat"));
    // Somebody replaces it: that one is not ours to remove.
    fs::remove_file(&path).unwrap();
    let foreign = UnixListener::bind(&path).unwrap();
    runner.stop_all();
    assert!(path.exists());
    drop(foreign);
}

#[test]
fn rule_115_a_group_may_read_through_the_permissions_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    // A group that this process is a member of: its own.
    let gid = fs::metadata(dir.path()).unwrap().gid();
    let path = dir.path().join("new/services.sock");
    let runner = start(socket(Socket::at(&path).readable_by_group(gid)));
    wait_for(&path);
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o710, 0o660));
    assert_eq!(fs::metadata(&path).unwrap().gid(), gid);
    runner.stop_all();
}

#[test]
fn rule_115_two_sockets_and_a_restart_in_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["a.sock", "b.sock"].map(|name| dir.path().join("run").join(name));
    let runners = paths.clone().map(|path| start(socket(path)));
    for (path, runner) in paths.iter().zip(&runners) {
        wait_for(path);
        runner.restart("tina4.socket").unwrap();
        wait_for(path);
        assert!(get_on(path, "/services").contains("heartbeat"));
        runner.stop_all();
        assert!(!path.exists());
    }
}

/// Ports of the loopback network that no other test uses: each has an address of its own.
#[cfg(target_os = "linux")]
#[test]
fn rule_115_ports_answer_and_are_free_again_after_a_stop() {
    let name = "127.115.1.1:9000";
    for round in 0..2 {
        let runner = start(serve(name));
        client::wait_for_port(name);
        let answer = get(name, "GET", "/services");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("heartbeat"), "{answer}");
        // With the settings of a console.
        let own = "127.115.1.2:9000";
        let console = Console::new(&runner).title("shop");
        runner.register(console.probes(own)).unwrap();
        runner.start("tina4.probes").unwrap();
        client::wait_for_port(own);
        assert!(get(own, "GET", "/services").starts_with("HTTP/1.1 404 "), "{round}");
        assert!(get(own, "POST", "/livez").starts_with("HTTP/1.1 405 "), "{round}");
        // A port in use crashes its own service and nobody else.
        let second = start(serve(name));
        let events = second.subscribe();
        let second_info = loop {
            let info =
                second.services().into_iter().find(|service| service.name == "tina4.console");
            if let Some(info) = info.filter(|info| info.crashes > 0) {
                break info;
            }
            drop(events.recv_timeout(Duration::from_millis(10)));
        };
        let error = second_info.last_error.unwrap();
        assert!(error.contains(&format!("cannot listen on {name}")), "{error}");
        second.stop_all();
        assert!(runner.stop_all().is_clean());
    }
    drop(probes(name));
}

#[test]
fn rule_115_a_front_end_stops_with_its_runner_in_less_than_a_second_whatever_its_clients_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run/services.sock");
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let runner = start(socket(path.clone()));
        wait_for(&path);
        let silent: Vec<_> = (0..40).map(|_| UnixStream::connect(&path).unwrap()).collect();
        let mut stream = client::open(&path, "/events");
        client::read_until(&mut stream, "heartbeat");
        let stopped = runner.stop("tina4.socket").unwrap();
        let Stopped::Ended { after } = stopped else { panic!("{stopped:?}") };
        client::read_to_end(&mut stream);
        drop(silent);
        runner.stop_all();
        fastest = fastest.min(after);
        if fastest < Duration::from_secs(1) {
            return;
        }
    }
    panic!("the fastest of five stops took {fastest:?}");
}
