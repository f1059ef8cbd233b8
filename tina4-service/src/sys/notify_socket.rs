//! The socket on which systemd is told about this process: the protocol of `sd_notify`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The socket on which systemd is told about this process.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl NotifySocket {
    /// Opens the socket that the variable `NOTIFY_SOCKET` names; `None`: there is none, because another program has
    /// started this one.
    ///
    /// # Errors
    ///
    /// The address is wrong, or there can be no socket.
    pub(crate) fn open(variables: &[(OsString, OsString)]) -> io::Result<Option<Self>> {
        let Some(address) = value(variables, "NOTIFY_SOCKET").filter(|value| !value.is_empty())
        else {
            return Ok(None);
        };
        // `@` stands for the zero byte with which an abstract address begins.
        let address = match address.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not block a thread of the runner.
        socket.set_nonblocking(true)?;
        Ok(Some(Self { socket, address }))
    }

    /// Sends assignments, one on each line. Whatever goes wrong, the next message is as good as this one.
    pub(crate) fn send(&self, message: &str) {
        let _ = self.socket.send_to_addr(message.as_bytes(), &self.address);
    }
}

/// How often systemd wants to hear of this process at least; `None`: it has no watchdog for it.
pub(crate) fn watchdog(variables: &[(OsString, OsString)], own_id: u32) -> Option<Duration> {
    let number =
        |name| value(variables, name).and_then(|value| value.to_str()?.parse::<u64>().ok());
    // The variables may have been inherited by a child, for which they are not meant.
    if value(variables, "WATCHDOG_PID").is_some() && number("WATCHDOG_PID") != Some(own_id.into()) {
        return None;
    }
    number("WATCHDOG_USEC").filter(|micros| *micros > 0).map(Duration::from_micros)
}

fn value<'a>(variables: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    variables.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        list.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn rule_116_the_watchdog_is_that_of_this_process() {
        let of = |list: &[(&str, &str)]| watchdog(&variables(list), 7);
        let second = Some(Duration::from_secs(1));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("WATCHDOG_USEC", "1000000")]), second);
        assert_eq!(of(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "7")]), second);
        assert_eq!(of(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "8")]), None);
        assert_eq!(of(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "x")]), None);
        for wrong in ["0", "", "-1", "1s", "99999999999999999999999"] {
            assert_eq!(of(&[("WATCHDOG_USEC", wrong)]), None, "{wrong}");
        }
    }

    #[test]
    fn rule_116_messages_go_to_a_path_or_an_abstract_address() {
        assert!(NotifySocket::open(&variables(&[])).unwrap().is_none());
        assert!(NotifySocket::open(&variables(&[("NOTIFY_SOCKET", "")])).unwrap().is_none());
        let name = format!("tina4-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        let opened = variables(&[("NOTIFY_SOCKET", &format!("@{name}"))]);
        NotifySocket::open(&opened).unwrap().expect("a socket").send("READY=1\n");
        let mut buffer = [0; 64];
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1\n");
        // Nobody is there any more.
        drop(receiver);
        NotifySocket::open(&opened).unwrap().expect("a socket").send("READY=1\n");
        let long = variables(&[("NOTIFY_SOCKET", &format!("/{}", "x".repeat(200)))]);
        assert!(NotifySocket::open(&long).is_err());
    }
}
