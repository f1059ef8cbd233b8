//! Turns and renewals: their statements, and their lane.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tina4_service_queue::engine_parts::{AwaitedTurns, GivingBack, Unreceived};
use tina4_service_queue::{Ended, EngineError, Held, Turn};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use crate::clock;
use crate::error::failed_with;
use crate::lane::Work;
use crate::marks::Marks;
use crate::numbers::{claim_of, micros};
use crate::owned_want::OwnedWant;
use crate::session::{Failure, Session};
use crate::trip::{Asked, Trip, call, index};

/// What can be asked of the lane of turns.
#[derive(Debug)]
pub(crate) enum Request {
    Turn { ended: Vec<Ended>, wants: Vec<OwnedWant> },
    Renew { held: Vec<Held>, lease: Duration },
}

#[derive(Debug)]
pub(crate) enum Answer {
    Turn(Turn),
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
    unreceived: Mutex<Unreceived>,
}

impl Turns {
    pub(crate) fn new(owner: String) -> Self {
        Self { owner, marks: Mutex::default(), unreceived: Mutex::default() }
    }

    /// Each change of the marks is complete before anything can panic.
    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each change of it is complete before anything can panic.
    fn unreceived(&self) -> MutexGuard<'_, Unreceived> {
        self.unreceived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes several turns in one trip, and returns the result of each.
    fn turn(&self, session: &mut Session, asked: &[Asked<'_>]) -> Result<Vec<Turn>, Failure> {
        let mut trip = Trip::new(asked);
        let marks = self.marks_for(&trip);
        let awaited = AwaitedTurns::new(&self.unreceived, clock::now);
        let known = awaited.known();
        let called =
            session.call(async |client| call(client, &self.owner, &trip, &marks, known).await);
        let mut turns = vec![Turn::default(); asked.len()];
        let read = called.and_then(|rows| {
            let read = rows.iter().try_for_each(|row| self.read(row, &mut trip, &mut turns));
            read.map_err(|error| Failure::new(&error))
        });
        match read {
            Ok(()) => {
                awaited.received(&turns);
                Ok(turns)
            }
            Err(failure) => {
                if failure.is_unchanged() {
                    awaited.unchanged();
                } else {
                    self.marks().forget();
                    // The answer is lost.
                    drop(awaited);
                }
                Err(failure)
            }
        }
    }

    fn marks_for(&self, trip: &Trip<'_>) -> Vec<Option<String>> {
        let (mut marks, now) = (self.marks(), clock::now());
        trip.queues().map(|queue| marks.of(queue, now).map(str::to_owned)).collect()
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

impl Work for Turns {
    type Request = Request;
    type Answer = Answer;

    /// The claims are given back.
    fn unheard(&self, answer: Answer) {
        match answer {
            Answer::Turn(turn) => self.unreceived().left(turn),
            Answer::Renew(_) => {}
        }
    }

    fn afterwards(&self, session: &mut Session, _: &[Request]) {
        let back = GivingBack::take(&self.unreceived);
        if !back.is_empty()
            && let Ok(turns) = self.turn(session, &[(back.ends(), &[])])
        {
            back.given(&turns[0].locked);
        }
    }

    /// Claims whose jobs others have locked, or that the server could not be told of.
    fn has_left_work(&self) -> bool {
        !self.unreceived().is_empty()
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
    /// The answer to each turn. If the merged statement is refused, each turn is taken alone, so that none fails because of
    /// another.
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
            Ok(turns) => turns.into_iter().map(|turn| Ok(Answer::Turn(turn))).collect(),
            Err(failure) if failure.is_of_statement && is_merged => alone(session),
            Err(failure) => asked.iter().map(|_| Err(failure.error())).collect(),
        }
    }
}
