//! Payments: a provider that is polled, and that does not always answer.

use std::error::Error;
use std::fmt;

use crate::store::Store;

/// The provider does not answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// The number of the call, from 1.
    pub(crate) call: u64,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payment provider did not answer call {}", self.call)
    }
}

impl Error for Outage {}

/// Asks the provider. Whether it answers depends only on the number of the call, from 1: the second
/// and third of every six calls fail.
pub(crate) fn query_provider(call: u64) -> Result<(), Outage> {
    if matches!(call % 6, 2 | 3) { Err(Outage { call }) } else { Ok(()) }
}

impl Store {
    /// Marks all orders as paid; returns how many were unpaid before.
    pub(crate) fn settle_payments(&self) -> rusqlite::Result<usize> {
        let update = "UPDATE orders SET paid_at = datetime('now') WHERE paid_at IS NULL";
        self.transact(|tx| tx.execute(update, ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{place_tea, store};

    #[test]
    fn outages_begin_and_end() {
        let outages: Vec<_> = (1..=12).filter(|call| query_provider(*call).is_err()).collect();
        assert_eq!(outages, [2, 3, 8, 9]);
    }

    #[test]
    fn an_order_is_settled_once() {
        let (_dir, store) = store();
        let order = place_tea(&store);
        assert_eq!(store.settle_payments(), Ok(1));
        assert_eq!(store.settle_payments(), Ok(0));
        let order = store.order(order.id).expect("the database is open").expect("it was placed");
        assert!(order.paid);
    }
}
