//! [`Connection`]: a connection to the server, which survives a pause of the process.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use redis::{Client, ConnectionAddr, ConnectionLike, Parser, RedisError, RedisResult, Value, cmd};

use crate::clock;

/// How long a wait that was interrupted goes on at least. The answer usually has arrived during the interruption, and
/// only has to be read.
const GRACE: Duration = Duration::from_millis(100);

/// A connection to the server.
///
/// Linux ends the wait of a socket that has a time limit with an error (`EINTR`) if the process was stopped and continued
/// meanwhile (SIGSTOP and SIGCONT: see signal(7)). The client of the crate `redis` takes that for a failure, and then skips the
/// answer, so that nobody knows whether a job was stored. So this type waits for answers by itself. Only TLS needs the
/// client, with its limitation.
pub(crate) enum Connection {
    Plain(Box<Plain>),
    OfClient(Box<redis::Connection>),
}

/// A connection without TLS.
pub(crate) struct Plain {
    stream: Stream,
    parser: Parser,
    database: i64,
    is_open: bool,
}

impl Connection {
    /// Connects within this time, and logs in.
    pub(crate) fn open(client: &Client, timeout: Duration) -> RedisResult<Self> {
        let deadline = clock::later(timeout);
        let info = client.get_connection_info();
        let stream = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Stream::tcp(host, *port, deadline)?,
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Stream::new(Socket::Unix(UnixStream::connect(path)?)),
            // TLS, and whatever else the client can do.
            _ => {
                let connection = client.get_connection_with_timeout(timeout)?;
                return Ok(Self::OfClient(Box::new(connection)));
            }
        };
        let settings = info.redis_settings();
        let database = settings.db();
        let plain = Plain { stream, parser: Parser::new(), database, is_open: true };
        let mut connection = Self::Plain(Box::new(plain));
        connection.limit(timeout)?;
        if let Some(password) = settings.password() {
            let mut login = cmd("AUTH");
            if let Some(user) = settings.username() {
                login.arg(user);
            }
            login.arg(password).exec(&mut connection)?;
        }
        if database != 0 {
            cmd("SELECT").arg(database).exec(&mut connection)?;
        }
        Ok(connection)
    }

    /// Limits each wait for the server from now on. A wait that is interrupted goes on.
    pub(crate) fn limit(&mut self, timeout: Duration) -> RedisResult<()> {
        match self {
            Self::Plain(plain) => Ok(plain.stream.limit(timeout)?),
            Self::OfClient(connection) => {
                connection.set_write_timeout(Some(timeout))?;
                connection.set_read_timeout(Some(timeout))
            }
        }
    }
}

impl Plain {
    fn send(&mut self, command: &[u8]) -> RedisResult<()> {
        // It retries what was interrupted.
        let sent = self.stream.write_all(command);
        self.is_open &= sent.is_ok();
        Ok(sent?)
    }

    /// The next answer, which may be an error of the server.
    fn receive(&mut self) -> RedisResult<Value> {
        let value = self.parser.parse_value(&mut self.stream);
        // Otherwise the rest of the answer would be taken for the next one.
        self.is_open &= value.is_ok();
        value
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        match self {
            Self::Plain(plain) => {
                plain.send(command)?;
                plain.receive()
            }
            Self::OfClient(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        match self {
            Self::Plain(plain) => {
                plain.send(commands)?;
                for _ in 0..offset {
                    plain.receive()?;
                }
                (0..count).map(|_| plain.receive()).collect()
            }
            Self::OfClient(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Plain(plain) => plain.database,
            Self::OfClient(connection) => connection.get_db(),
        }
    }

    fn check_connection(&mut self) -> bool {
        cmd("PING").exec(self).is_ok()
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Plain(plain) => plain.is_open,
            Self::OfClient(connection) => connection.is_open(),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}

/// A socket whose waits have a limit.
struct Stream {
    socket: Socket,
    deadline: Instant,
}

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    fn new(socket: Socket) -> Self {
        Self { socket, deadline: clock::now() }
    }

    /// Connects to the first address of a host that can be reached.
    fn tcp(host: &str, port: u16, deadline: Instant) -> RedisResult<Self> {
        let mut last = None;
        for address in (host, port).to_socket_addrs()? {
            let left = clock::until(deadline);
            if left.is_zero() {
                return Err(RedisError::from(io::Error::from(ErrorKind::TimedOut)));
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => {
                    // Requests are small and wait for their answers.
                    socket.set_nodelay(true)?;
                    return Ok(Self::new(Socket::Tcp(socket)));
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::from(ErrorKind::NotFound)).into())
    }

    fn limit(&mut self, timeout: Duration) -> io::Result<()> {
        self.deadline = clock::later(timeout);
        match &self.socket {
            Socket::Tcp(socket) => socket.set_write_timeout(Some(timeout))?,
            #[cfg(unix)]
            Socket::Unix(socket) => socket.set_write_timeout(Some(timeout))?,
        }
        self.limit_read(timeout)
    }

    fn limit_read(&self, timeout: Duration) -> io::Result<()> {
        match &self.socket {
            Socket::Tcp(socket) => socket.set_read_timeout(Some(timeout)),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.set_read_timeout(Some(timeout)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.socket {
                Socket::Tcp(socket) => socket.read(buffer),
                #[cfg(unix)]
                Socket::Unix(socket) => socket.read(buffer),
            };
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    self.limit_read(clock::until(self.deadline).max(GRACE))?;
                }
                read => return read,
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.socket {
            Socket::Tcp(socket) => socket.write(bytes),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
