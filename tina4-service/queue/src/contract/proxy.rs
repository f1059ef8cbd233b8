//! [`Proxy`]: stands between an engine and its server, and disturbs their connections.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine_parts;

/// An address at which an engine reaches its server, until the test decides otherwise.
///
/// ```no_run
/// use tina4_service_queue::contract::Proxy;
///
/// let proxy = Proxy::to("127.0.0.1:5432")?;
/// let address = format!("postgres://postgres@{}/postgres", proxy.address());
/// // .. open an engine with this address ..
/// proxy.freeze(); // the server is there, but does not answer
/// proxy.thaw();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    thawed: Condvar,
}

#[derive(Debug)]
struct State {
    server: String,
    is_frozen: bool,
    is_mute: bool,
    is_closed: bool,
    /// How often the connections that were open were abandoned.
    abandoned: u64,
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy for the server at this host and port.
    ///
    /// # Errors
    ///
    /// If no port is free, or no thread can be spawned.
    pub fn to(server: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let server = server.to_owned();
        let state = State {
            server,
            is_frozen: false,
            is_mute: false,
            is_closed: false,
            abandoned: 0,
            streams: Vec::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), thawed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        engine_parts::spawn("proxy", move || accepting.accept(&listener))?;
        Ok(Self { address, shared })
    }

    /// The address for the engine.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes nothing on any more, as if the server were stopped: it still accepts connections and requests.
    pub fn freeze(&self) {
        self.shared.lock().is_frozen = true;
    }

    /// Passes on requests, but no answers.
    pub fn mute(&self) {
        self.shared.lock().is_mute = true;
    }

    /// Passes everything on again, also what was held back.
    pub fn thaw(&self) {
        let mut state = self.shared.lock();
        (state.is_frozen, state.is_mute) = (false, false);
        drop(state);
        self.shared.thawed.notify_all();
    }

    /// The connections that are open now pass nothing on any more, as if a router between had forgotten them. New ones
    /// work.
    pub fn abandon(&self) {
        self.shared.lock().abandoned += 1;
    }

    /// Leads new connections to another server.
    pub fn redirect(&self, server: &str) {
        server.clone_into(&mut self.shared.lock().server);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        for stream in std::mem::take(&mut self.shared.lock().streams) {
            // The other side may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.thaw();
        self.cut();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((client, _)) = listener.accept() {
            if self.lock().is_closed {
                return;
            }
            // Without a connection to the server, that of the client is closed.
            let _ = self.connect(client);
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let (server, abandoned) = {
            let state = self.lock();
            (state.server.clone(), state.abandoned)
        };
        let server = TcpStream::connect(server)?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            let kept = stream.try_clone()?;
            self.lock().streams.push(kept);
        }
        let requests = (client.try_clone()?, server.try_clone()?, false);
        for (from, to, is_answer) in [requests, (server, client, true)] {
            let shared = Arc::clone(self);
            let is_held = move |state: &State| {
                state.is_frozen || state.abandoned > abandoned || is_answer && state.is_mute
            };
            engine_parts::spawn("proxy-copy", move || shared.copy(from, to, is_held))?;
        }
        Ok(())
    }

    /// Passes on what comes and is not held back, until one side closes.
    fn copy(&self, mut from: TcpStream, mut to: TcpStream, is_held: impl Fn(&State) -> bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let state = self.lock();
            drop(self.thawed.wait_while(state, |state| !state.is_closed && is_held(state)));
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Asks, and reads the whole answer: the name of the server and what it was asked.
    fn ask(stream: &mut TcpStream, question: u8) -> io::Result<[u8; 2]> {
        stream.write_all(&[question])?;
        read_answer(stream)
    }

    fn read_answer(stream: &mut TcpStream) -> io::Result<[u8; 2]> {
        let mut answer = [0; 2];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    }

    /// A server that returns each byte it gets, after its name.
    fn server(name: u8) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serve = move || {
            while let Ok((mut client, _)) = listener.accept() {
                let mut question = [0; 1];
                while client.read_exact(&mut question).is_ok() {
                    // Two writes, which may arrive one after the other.
                    client.write_all(&[name]).unwrap();
                    client.write_all(&question).unwrap();
                }
            }
        };
        engine_parts::spawn("server", serve).unwrap();
        address
    }

    #[test]
    fn it_passes_on_holds_back_cuts_and_redirects() {
        let proxy = Proxy::to(&server(b'a')).unwrap();
        let connect = || {
            let stream = TcpStream::connect(proxy.address()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream
        };
        let give_up_soon =
            |stream: &TcpStream| stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut first = connect();
        assert_eq!(&ask(&mut first, b'1').unwrap(), b"a1");
        // The server has one client at a time.
        drop(first);
        proxy.freeze();
        let mut held = connect();
        give_up_soon(&held);
        assert!(ask(&mut held, b'2').is_err(), "no answer");
        proxy.thaw();
        held.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert_eq!(&read_answer(&mut held).unwrap(), b"a2", "what was held back arrives");
        proxy.mute();
        give_up_soon(&held);
        assert!(ask(&mut held, b'7').is_err(), "no answer");
        proxy.thaw();
        held.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert_eq!(&read_answer(&mut held).unwrap(), b"a7");
        drop(held);
        proxy.redirect(&server(b'b'));
        let mut second = connect();
        assert_eq!(&ask(&mut second, b'3').unwrap(), b"b3");
        proxy.abandon();
        give_up_soon(&second);
        assert!(ask(&mut second, b'4').is_err(), "no answer");
        drop(second);
        proxy.redirect(&server(b'c'));
        let mut third = connect();
        assert_eq!(&ask(&mut third, b'5').unwrap(), b"c5");
        proxy.cut();
        assert!(ask(&mut third, b'6').is_err(), "it is cut");
    }
}
