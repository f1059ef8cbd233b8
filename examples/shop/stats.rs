//! Statistics in the database: daily reports and the total number of visits.

use crate::store::Store;

/// The orders of one day, in the shop's own time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DailyReport {
    pub(crate) day: String,
    pub(crate) orders: u32,
    pub(crate) pieces: u64,
}

/// The bounds of the day are converted to UTC, in which orders are stored.
const REPORT: &str = "
    INSERT INTO daily_reports (day, orders, pieces)
    SELECT date('now', 'localtime', '-1 day'), count(*), ifnull(sum(quantity), 0) FROM orders
    WHERE placed_at >= datetime('now', 'localtime', 'start of day', '-1 day', 'utc')
      AND placed_at < datetime('now', 'localtime', 'start of day', 'utc')
    ON CONFLICT (day) DO UPDATE SET orders = excluded.orders, pieces = excluded.pieces
    RETURNING day, orders, pieces";

impl Store {
    /// Counts yesterday's orders and stores the result.
    pub(crate) fn report_yesterday(&self) -> rusqlite::Result<DailyReport> {
        self.transact(|tx| {
            tx.query_row(REPORT, [], |row| {
                Ok(DailyReport { day: row.get(0)?, orders: row.get(1)?, pieces: row.get(2)? })
            })
        })
    }

    /// Adds to the total number of visits.
    pub(crate) fn add_visits(&self, count: u64) -> rusqlite::Result<()> {
        let insert = "INSERT INTO counters (name, count) VALUES ('visits', ?)
                      ON CONFLICT (name) DO UPDATE SET count = count + excluded.count";
        self.transact(|tx| tx.execute(insert, [count]).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::tests::{place_tea, store};

    #[test]
    fn the_report_counts_only_yesterday_and_can_be_repeated() {
        let (_dir, store) = store();
        let order_placed = |when: &str| {
            place_tea(&store);
            let update = "UPDATE orders SET placed_at = datetime('now', 'localtime', 'start of day', ?, 'utc')
                          WHERE id = (SELECT max(id) FROM orders)";
            store.transact(|tx| tx.execute(update, [when])).expect("the database is open");
        };
        // Today, and the last second of the day before yesterday.
        order_placed("+0 days");
        order_placed("-86401 seconds");
        for (count, when) in [(1, "-1 days"), (2, "-12 hours"), (3, "-1 seconds")] {
            order_placed(when);
            let report = store.report_yesterday().expect("the database is open");
            assert_eq!((report.orders, report.pieces), (count, 2 * u64::from(count)), "{when}");
        }
    }

    #[test]
    fn visits_add_up() {
        let (_dir, store) = store();
        for count in [3, 4] {
            store.add_visits(count).expect("the database is open");
        }
        let query = "SELECT count FROM counters WHERE name = 'visits'";
        let visits = store.transact(|tx| tx.query_row(query, [], |row| row.get(0)));
        assert_eq!(visits, Ok(7));
    }
}
