//! [`Durability`]: how durable the stores of the peers are.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As ours: each push is synced, claims and finishes are not. Redis syncs every write.
    Equal,
    /// The defaults of the peers and of the servers.
    Shipped,
}

impl Durability {
    pub(crate) const ALL: [Self; 2] = [Self::Equal, Self::Shipped];

    /// Its name in the environment of a peer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Shipped => "shipped",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "equally durable",
            Self::Shipped => "as shipped",
        })
    }
}
