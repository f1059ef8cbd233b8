//! Who is at the other end of a connection.

use std::net::SocketAddr;

use crate::access::Access;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub enum Peer {
    /// A client on the network, or on this machine.
    Tcp(SocketAddr),
    /// A process on this machine that has opened the socket.
    Unix(UnixPeer),
    /// The front end was not told, such as axum without `ConnectInfo`.
    Unknown,
}

/// A process that has opened a unix socket.
#[derive(Clone, Debug)]
pub struct UnixPeer {
    /// Its user's number, if the system tells.
    pub uid: Option<u32>,
    /// Its group's number, if the system tells.
    pub gid: Option<u32>,
    /// Its own number, if the system tells.
    pub pid: Option<i32>,
    /// Its user's name, if it is known.
    pub user: Option<String>,
    /// What the socket allows it.
    pub access: Access,
}

impl UnixPeer {
    /// Who asks, such as `uid 1000 (deploy)`.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.uid, &self.user) {
            (Some(uid), Some(user)) => format!("uid {uid} ({user})"),
            (Some(uid), None) => format!("uid {uid}"),
            (None, Some(user)) => user.clone(),
            (None, None) => "the unix socket".to_owned(),
        }
    }
}
