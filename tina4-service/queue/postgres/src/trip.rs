//! [`Trip`]: several turns as one statement.

use tina4_service_queue::{Claim, DeadJob, End, Ended, Held, JobId, Turn};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::numbers::{claim_of, count, duration, id_of, instant, micros, small};
use crate::owned_want::{OwnedWant, storable};

/// The ends and the wants of one turn.
pub(crate) type Asked<'a> = (&'a [Ended], &'a [OwnedWant]);

/// The index of a place that counts from 1.
pub(crate) fn index(place: i64) -> usize {
    usize::try_from(place).unwrap_or(0).wrapping_sub(1)
}

/// Takes the turns.
pub(crate) async fn call(
    client: &Client,
    owner: &str,
    trip: &Trip<'_>,
    marks: &[Option<String>],
    known: Option<u64>,
) -> Result<Vec<Row>, Error> {
    let known = known.map(|known| i64::try_from(known).unwrap_or(i64::MAX));
    let ended = || trip.ended.iter().map(|(_, ended)| *ended);
    let (ids, claims): (Vec<_>, Vec<_>) = ended().map(|ended| claim_of(ended.held)).unzip();
    let mut ends: Vec<i16> = Vec::with_capacity(ids.len());
    let mut delays: Vec<i64> = Vec::with_capacity(ids.len());
    let mut errors: Vec<Option<String>> = Vec::with_capacity(ids.len());
    for ended in ended() {
        let (end, delay, error) = match &ended.end {
            End::Done => (0, 0, None),
            End::Again { delay, error } => (1, micros(*delay), Some(storable(error))),
            End::Dead { error } => (2, 0, Some(storable(error))),
            End::Back => (3, 0, None),
            End::Kept => (4, 0, None),
        };
        ends.push(end);
        delays.push(delay);
        errors.push(error);
    }
    let queues: Vec<_> = trip.queues().collect();
    let counts: Vec<_> = trip.wants.iter().map(Wants::count).collect();
    let column = |of: fn(&OwnedWant) -> i64| {
        trip.wants.iter().map(|wants| of(wants.want)).collect::<Vec<_>>()
    };
    let (leases, attempts) = (column(|want| want.lease), column(|want| want.attempts));
    let (backoffs, max_backoffs) = (column(|want| want.backoff), column(|want| want.max_backoff));
    let values: [(&(dyn ToSql + Sync), Type); 14] = [
        (&owner, Type::TEXT),
        (&ids, Type::INT8_ARRAY),
        (&claims, Type::INT8_ARRAY),
        (&ends, Type::INT2_ARRAY),
        (&delays, Type::INT8_ARRAY),
        (&errors, Type::TEXT_ARRAY),
        (&queues, Type::TEXT_ARRAY),
        (&counts, Type::INT8_ARRAY),
        (&leases, Type::INT8_ARRAY),
        (&attempts, Type::INT8_ARRAY),
        (&backoffs, Type::INT8_ARRAY),
        (&max_backoffs, Type::INT8_ARRAY),
        (&marks, Type::TEXT_ARRAY),
        (&known, Type::INT8),
    ];
    let statement =
        "select * from tina4.turn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    client.query_typed(statement, &values).await
}

/// Several turns as one, and to which of them its results belong.
pub(crate) struct Trip<'a> {
    /// Each end, with the number of its turn.
    ended: Vec<(usize, &'a Ended)>,
    wants: Vec<Wants<'a>>,
}

/// Wants that are alike but for their counts, as one.
struct Wants<'a> {
    want: &'a OwnedWant,
    askers: Vec<Asker>,
}

/// A want of one of the turns.
struct Asker {
    turn: usize,
    want: usize,
    /// How many jobs it may still get.
    left: i64,
}

impl Wants<'_> {
    fn count(&self) -> i64 {
        self.askers.iter().fold(0, |count, asker| asker.left.saturating_add(count))
    }
}

impl<'a> Trip<'a> {
    pub(crate) fn new(asked: &[Asked<'a>]) -> Self {
        let mut trip = Self { ended: Vec::new(), wants: Vec::new() };
        for (turn, (ended, wants)) in asked.iter().enumerate() {
            trip.ended.extend(ended.iter().map(|ended| (turn, ended)));
            for (place, want) in wants.iter().enumerate() {
                let asker = Asker { turn, want: place, left: want.count };
                match trip.wants.iter_mut().find(|wants| wants.want.is_like(want)) {
                    Some(wants) => wants.askers.push(asker),
                    None => trip.wants.push(Wants { want, askers: vec![asker] }),
                }
            }
        }
        trip
    }

    /// The queues of the wants.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &str> {
        self.wants.iter().map(|wants| &*wants.want.queue)
    }

    /// Adds a row of `tina4.turn` to the turn that it belongs to; or returns a queue with its marks.
    pub(crate) fn read(
        &mut self,
        row: &Row,
        turns: &mut [Turn],
    ) -> Result<Option<(&'a str, String)>, Error> {
        let place = index(row.try_get("place")?);
        let kind: i32 = row.try_get("kind")?;
        if matches!(kind, 0 | 8) {
            if let Some((turn, ended)) = self.ended.get(place) {
                let turn = &mut turns[*turn];
                let of = if kind == 0 { &mut turn.stale } else { &mut turn.locked };
                of.push(ended.held);
            }
            return Ok(None);
        }
        let Some(wants) = self.wants.get_mut(place) else { return Ok(None) };
        // There is at least one who asked; what nobody asked for goes to the first.
        let first = wants.askers.first().map_or(0, |asker| asker.turn);
        match kind {
            1 => turns[first].lost += count(row.try_get("n")?),
            2 => turns[first].dead.push(dead_job(row)?),
            3 => {
                if let Some(asker) = wants.askers.iter_mut().find(|asker| asker.left > 0) {
                    asker.left -= 1;
                    turns[asker.turn].claims.push(claimed(row, asker.want)?);
                }
            }
            5 => {
                for asker in &wants.askers {
                    turns[asker.turn].waits_to_be_alone = true;
                }
            }
            7 => return Ok(Some((&wants.want.queue, row.try_get("payload")?))),
            _ => {
                let next = duration(row.try_get("n")?);
                for asker in &wants.askers {
                    let known = &mut turns[asker.turn].next;
                    *known = Some(known.map_or(next, |other| other.min(next)));
                }
            }
        }
        Ok(None)
    }
}

/// A dead job, from a row with its columns.
pub(crate) fn dead_job(row: &Row) -> Result<DeadJob, Error> {
    Ok(DeadJob {
        id: row_id(row)?,
        payload: row.try_get("payload")?,
        attempts: small(row.try_get("attempt")?),
        error: row.try_get("error")?,
        pushed_at: instant(row.try_get("created")?),
        died_at: instant(row.try_get("died")?),
    })
}

fn claimed(row: &Row, want: usize) -> Result<Claim, Error> {
    Ok(Claim {
        held: Held { id: row_id(row)?, claim: count(row.try_get("claim")?) },
        want,
        payload: row.try_get("payload")?,
        attempt: small(row.try_get("attempt")?),
        lost: small(row.try_get("lost")?),
        priority: i8::try_from(row.try_get::<_, i16>("priority")?).unwrap_or(0),
        pushed_at: instant(row.try_get("created")?),
        last_error: row.try_get("error")?,
    })
}

fn row_id(row: &Row) -> Result<JobId, Error> {
    Ok(id_of(row.try_get("id")?))
}
