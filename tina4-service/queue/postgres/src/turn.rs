//! Turns and renewals: their statements, and their lane.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tina4_service_queue::{Claim, DeadJob, End, Ended, EngineError, Held, JobId, Turn, Want};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::clock;
use crate::error::failed_with;
use crate::lane::Work;
use crate::marks::Marks;
use crate::numbers::{claim_of, count, duration, id_of, instant, limit, micros, small};
use crate::session::{Failure, Session};

/// A [`Want`] that another thread can ask for.
#[derive(Clone, Debug)]
pub(crate) struct OwnedWant {
    queue: String,
    count: i64,
    lease: i64,
    attempts: i64,
    backoff: i64,
    max_backoff: i64,
}

impl OwnedWant {
    pub(crate) fn new(want: &Want<'_>) -> Self {
        Self {
            queue: storable(want.queue),
            count: limit(want.count),
            lease: micros(want.lease),
            attempts: i64::from(want.policy.attempts),
            // As `RetryPolicy::delay_after_loss`: the SQL function doubles the one up to the other.
            backoff: micros(want.policy.backoff.min(want.policy.max_backoff)),
            max_backoff: micros(want.policy.max_backoff),
        }
    }

    /// Whether it differs only in its count.
    fn is_like(&self, other: &Self) -> bool {
        let Self { queue, count: _, lease, attempts, backoff, max_backoff } = self;
        *queue == other.queue
            && (lease, attempts, backoff, max_backoff)
                == (&other.lease, &other.attempts, &other.backoff, &other.max_backoff)
    }
}

/// A text as PostgreSQL can store it.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// What can be asked of the lane of turns.
#[derive(Debug)]
pub(crate) enum Request {
    Turn { ended: Vec<Ended>, wants: Vec<OwnedWant> },
    Renew { held: Vec<Held>, lease: Duration },
}

#[derive(Debug)]
pub(crate) enum Answer {
    Turn(Turn),
    /// Nothing was done, because another transaction has locked a job that is to end.
    Locked,
    /// The claims that are no longer held.
    Renew(Vec<Held>),
}

/// The work of the lane of turns of one owner.
///
/// One lane, because the decision whether a job may run beside others needs all claims of its owner. Turns
/// that wait are merged, and so are their wants for one queue.
#[derive(Debug)]
pub(crate) struct Turns {
    owner: String,
    /// Only the thread of the lane locks it.
    marks: Mutex<Marks>,
    /// Jobs that were claimed for callers who did not wait for them.
    unheard: Mutex<Vec<Ended>>,
}

type Asked<'a> = (&'a [Ended], &'a [OwnedWant]);

impl Turns {
    pub(crate) fn new(owner: String) -> Self {
        Self { owner, marks: Mutex::default(), unheard: Mutex::default() }
    }

    /// Each change of the marks is complete before anything can panic.
    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unheard_claims(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes several turns in one trip, and returns the result of each; `None` if nothing was done, because a row is
    /// locked.
    fn turn(
        &self,
        session: &mut Session,
        asked: &[Asked<'_>],
    ) -> Result<Option<Vec<Turn>>, Failure> {
        let mut trip = Trip::new(asked);
        let marks = self.marks_for(&trip);
        let called =
            session.call(async |client| call_turn(client, &self.owner, &trip, &marks).await);
        let mut turns = vec![Turn::default(); asked.len()];
        let read = called.and_then(|rows| {
            let read = rows.iter().try_for_each(|row| self.read(row, &mut trip, &mut turns));
            read.map_err(|error| Failure::new(&error))
        });
        if read.as_ref().is_err_and(|failure| !failure.is_of_statement) {
            self.marks().forget();
        }
        read.map(|()| (!trip.is_locked).then_some(turns))
    }

    fn marks_for(&self, trip: &Trip<'_>) -> Vec<Option<String>> {
        let (mut marks, now) = (self.marks(), clock::now());
        let of = |wants: &Wants<'_>| marks.of(&wants.want.queue, now).map(str::to_owned);
        trip.wants.iter().map(of).collect()
    }

    fn read(&self, row: &Row, trip: &mut Trip<'_>, turns: &mut [Turn]) -> Result<(), Error> {
        let Some((queue, text)) = trip.read(row, turns)? else { return Ok(()) };
        self.marks().keep(queue, text, clock::now());
        Ok(())
    }

    fn renew(
        &self,
        session: &mut Session,
        held: &[Held],
        lease: Duration,
    ) -> Result<Vec<Held>, EngineError> {
        let (ids, claims): (Vec<_>, Vec<_>) = held.iter().copied().map(claim_of).unzip();
        let lease = micros(lease);
        let lost = session.call(async |client| {
            let statement = "select place from tina4.renew($1, $2, $3, $4)";
            let values: [(&(dyn ToSql + Sync), Type); 4] = [
                (&self.owner, Type::TEXT),
                (&ids, Type::INT8_ARRAY),
                (&claims, Type::INT8_ARRAY),
                (&lease, Type::INT8),
            ];
            let rows = client.query_typed(statement, &values).await?;
            rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()
        });
        let lost = lost.map_err(|failure| failure.error())?;
        Ok(lost.into_iter().filter_map(|place| held.get(index(place)).copied()).collect())
    }
}

/// The index of a place that counts from 1.
fn index(place: i64) -> usize {
    usize::try_from(place).unwrap_or(0).wrapping_sub(1)
}

/// Waits until nobody else has locked these jobs.
pub(crate) async fn wait_for(client: &Client, owner: &str, ended: &[Ended]) -> Result<(), Error> {
    let ids: Vec<_> = ended.iter().map(|ended| claim_of(ended.held).0).collect();
    let values: [(&(dyn ToSql + Sync), Type); 2] = [(&owner, Type::TEXT), (&ids, Type::INT8_ARRAY)];
    client.query_typed("select tina4.await($1, $2)", &values).await.map(drop)
}

async fn call_turn(
    client: &Client,
    owner: &str,
    trip: &Trip<'_>,
    marks: &[Option<String>],
) -> Result<Vec<Row>, Error> {
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
    let queues: Vec<_> = trip.wants.iter().map(|wants| &*wants.want.queue).collect();
    let counts: Vec<_> = trip.wants.iter().map(Wants::count).collect();
    let column = |of: fn(&OwnedWant) -> i64| {
        trip.wants.iter().map(|wants| of(wants.want)).collect::<Vec<_>>()
    };
    let (leases, attempts) = (column(|want| want.lease), column(|want| want.attempts));
    let (backoffs, max_backoffs) = (column(|want| want.backoff), column(|want| want.max_backoff));
    let values: [(&(dyn ToSql + Sync), Type); 13] = [
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
    ];
    let statement =
        "select * from tina4.turn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    client.query_typed(statement, &values).await
}

/// Several turns as one, and to which of them its results belong.
struct Trip<'a> {
    /// Each end, with the number of its turn.
    ended: Vec<(usize, &'a Ended)>,
    wants: Vec<Wants<'a>>,
    /// Whether the server has done nothing, because the row of an end is locked.
    is_locked: bool,
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
    fn new(asked: &[Asked<'a>]) -> Self {
        let mut trip = Self { ended: Vec::new(), wants: Vec::new(), is_locked: false };
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

    /// Adds a row of `tina4.turn` to the turn that it belongs to; or returns a queue with its marks.
    fn read(&mut self, row: &Row, turns: &mut [Turn]) -> Result<Option<(&'a str, String)>, Error> {
        let place = index(row.try_get("place")?);
        let kind: i32 = row.try_get("kind")?;
        if kind == 8 {
            self.is_locked = true;
            return Ok(None);
        }
        if kind == 0 {
            if let Some((turn, ended)) = self.ended.get(place) {
                turns[*turn].stale.push(ended.held);
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

impl Work for Turns {
    type Request = Request;
    type Answer = Answer;

    /// The claims are given back.
    fn unheard(&self, answer: Answer) {
        match answer {
            Answer::Turn(turn) => {
                let back = |claim: Claim| Ended { held: claim.held, end: End::Back };
                self.unheard_claims().extend(turn.claims.into_iter().map(back));
            }
            Answer::Locked | Answer::Renew(_) => {}
        }
    }

    fn afterwards(&self, session: &mut Session, _: &[Request]) {
        let back = mem::take(&mut *self.unheard_claims());
        if !back.is_empty() {
            // If that fails, they end with their leases.
            let _ = self.turn(session, &[(&back, &[])]);
        }
    }

    /// Renewals first, because leases run.
    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Request>,
    ) -> Vec<Result<Answer, EngineError>> {
        let renewed: Vec<_> = requests
            .iter()
            .filter_map(|request| match request {
                Request::Turn { .. } => None,
                Request::Renew { held, lease } => Some(self.renew(session, held, *lease)),
            })
            .collect();
        let asked: Vec<Asked<'_>> = requests
            .iter()
            .filter_map(|request| match request {
                Request::Turn { ended, wants } => Some((&**ended, &**wants)),
                Request::Renew { .. } => None,
            })
            .collect();
        let mut turns = self.turns(session, &asked).into_iter();
        let mut renewed = renewed.into_iter();
        let missing = || Err(failed_with("the request was not sent"));
        requests
            .iter()
            .map(|request| match request {
                Request::Turn { .. } => turns.next().unwrap_or_else(missing),
                Request::Renew { .. } => {
                    renewed.next().map_or_else(missing, |lost| lost.map(Answer::Renew))
                }
            })
            .collect()
    }
}

impl Turns {
    /// The answer to each turn. If the merged statement is refused, or finds a locked row, each turn is taken alone, so
    /// that none fails or waits because of another.
    fn turns(
        &self,
        session: &mut Session,
        asked: &[Asked<'_>],
    ) -> Vec<Result<Answer, EngineError>> {
        if asked.is_empty() {
            return Vec::new();
        }
        let is_merged = asked.len() > 1;
        let alone = |session: &mut Session| {
            asked.iter().flat_map(|asked| self.turns(session, &[*asked])).collect()
        };
        match self.turn(session, asked) {
            Ok(Some(turns)) => turns.into_iter().map(|turn| Ok(Answer::Turn(turn))).collect(),
            Ok(None) if is_merged => alone(session),
            Ok(None) => vec![Ok(Answer::Locked)],
            Err(failure) if failure.is_of_statement && is_merged => alone(session),
            Err(failure) => asked.iter().map(|_| Err(failure.error())).collect(),
        }
    }
}
