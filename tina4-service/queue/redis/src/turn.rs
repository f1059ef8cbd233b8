//! Turns and renewals: their scripts, and their lane.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::Value;
use tina4_service_queue::engine_parts::{AwaitedTurns, GivingBack, Unreceived};
use tina4_service_queue::{Claim, DeadJob, End, Ended, EngineError, Held, JobId, Turn, Want};

use crate::clock;
use crate::error::failed_with;
use crate::keys::Copies;
use crate::lane::Work;
use crate::numbers::{count, duration, id_of, id_text, instant, limit, micros, millis, small};
use crate::reply::Elements;
use crate::script::Script;
use crate::session::{Failure, Session};

/// A [`Want`] as arguments of the script.
#[derive(Clone, Debug)]
pub(crate) struct OwnedWant([String; 6]);

impl OwnedWant {
    pub(crate) fn new(want: &Want<'_>) -> Self {
        let policy = want.policy;
        Self([
            want.queue.to_owned(),
            limit(want.count).to_string(),
            millis(want.lease),
            policy.attempts.to_string(),
            // As `RetryPolicy::delay_after_loss`: the script doubles the one up to the other.
            micros(policy.backoff.min(policy.max_backoff)),
            micros(policy.max_backoff),
        ])
    }
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
    /// The claims that are no longer held.
    Renew(Vec<Held>),
}

/// The work of the lane of turns of one owner. Turns that wait are merged.
#[derive(Debug)]
pub(crate) struct Turns {
    pub(crate) turn: Script,
    pub(crate) renew: Script,
    pub(crate) owner: String,
    pub(crate) unreceived: Mutex<Unreceived>,
}

type Asked<'a> = (&'a [Ended], &'a [OwnedWant]);

impl Turns {
    /// Each change is complete before anything can panic.
    fn unreceived(&self) -> MutexGuard<'_, Unreceived> {
        self.unreceived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes several turns in one trip, and returns the result of each.
    fn trip(
        &self,
        session: &mut Session,
        asked: &[Asked<'_>],
    ) -> Result<Result<Vec<Turn>, EngineError>, Failure> {
        let awaited = AwaitedTurns::new(&self.unreceived, clock::now);
        let arguments = arguments(&self.owner, awaited.known(), asked);
        let mut ends = asked.iter().flat_map(|(ended, _)| *ended);
        let has_copies = ends.any(|ended| ended.end == End::Kept);
        let copies = if has_copies { Copies::Used } else { Copies::Untouched };
        let value = session.run_with(&self.turn, copies, &texts(&arguments));
        let turns = value.map(|value| Places::new(asked).read(value, asked));
        match &turns {
            Ok(Ok(turns)) => awaited.received(turns),
            Err(failure) if failure.is_unchanged() => awaited.unchanged(),
            // The answer is lost.
            Ok(Err(_)) | Err(_) => drop(awaited),
        }
        turns
    }

    /// The result of each turn. If the server refuses the merged turn, each is taken alone, so that none fails
    /// because of another.
    fn turns(&self, session: &mut Session, asked: &[Asked<'_>]) -> Vec<Result<Turn, EngineError>> {
        if asked.is_empty() {
            return Vec::new();
        }
        match self.trip(session, asked) {
            Ok(Ok(turns)) => turns.into_iter().map(Ok).collect(),
            Ok(Err(error)) => {
                let text = error.to_string();
                asked.iter().map(|_| Err(failed_with(&*text))).collect()
            }
            Err(failure) if failure.is_refused && asked.len() > 1 => {
                asked.chunks(1).flat_map(|asked| self.turns(session, asked)).collect()
            }
            Err(failure) => asked.iter().map(|_| Err(failure.error())).collect(),
        }
    }

    fn renew(
        &self,
        session: &mut Session,
        held: &[Held],
        lease: Duration,
    ) -> Result<Vec<Held>, EngineError> {
        let mut arguments = vec![self.owner.clone(), millis(lease)];
        arguments.extend(held.iter().flat_map(|held| [id_text(held.id), held.claim.to_string()]));
        let value =
            session.run(&self.renew, &texts(&arguments)).map_err(|failure| failure.error())?;
        let mut places = Elements::of(value)?;
        let mut lost = Vec::new();
        while !places.is_empty() {
            lost.extend(held.get(index(places.number()?)).copied());
        }
        Ok(lost)
    }
}

/// The index of a place that counts from 1.
fn index(place: i64) -> usize {
    usize::try_from(place).unwrap_or(0).wrapping_sub(1)
}

fn texts(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn arguments(owner: &str, received: Option<u64>, asked: &[Asked<'_>]) -> Vec<String> {
    let ends = asked.iter().map(|(ended, _)| ended.len()).sum::<usize>();
    let received = received.map(|number| number.to_string()).unwrap_or_default();
    let mut arguments = vec![owner.to_owned(), ends.to_string(), received];
    for Ended { held, end } in asked.iter().flat_map(|(ended, _)| *ended) {
        let (kind, delay, error) = match end {
            End::Done => ("0", Duration::ZERO, ""),
            End::Again { delay, error } => ("1", *delay, &**error),
            End::Dead { error } => ("2", Duration::ZERO, &**error),
            End::Back => ("3", Duration::ZERO, ""),
            End::Kept => ("4", Duration::ZERO, ""),
        };
        let (id, claim) = (id_text(held.id), held.claim.to_string());
        arguments.extend([id, claim, kind.to_owned(), millis(delay), error.to_owned()]);
    }
    arguments.extend(asked.iter().flat_map(|(_, wants)| *wants).flat_map(|want| want.0.clone()));
    arguments
}

/// To which turn, and where in it, the ends and wants of a trip belong.
struct Places {
    ends: Vec<(usize, usize)>,
    wants: Vec<(usize, usize)>,
}

impl Places {
    fn new(asked: &[Asked<'_>]) -> Self {
        let places = |lens: Vec<usize>| {
            let turns = lens.into_iter().enumerate();
            turns.flat_map(|(turn, len)| (0..len).map(move |at| (turn, at))).collect()
        };
        Self {
            ends: places(asked.iter().map(|(ended, _)| ended.len()).collect()),
            wants: places(asked.iter().map(|(_, wants)| wants.len()).collect()),
        }
    }

    /// The turn and the want that the next number of a reply stands for.
    fn want(&self, elements: &mut Elements) -> Result<(usize, usize), EngineError> {
        let place = index(elements.number()?);
        self.wants.get(place).copied().ok_or_else(|| failed_with("the answer names no request"))
    }

    /// Reads what the script returned.
    fn read(&self, value: Value, asked: &[Asked<'_>]) -> Result<Vec<Turn>, EngineError> {
        let mut turns = vec![Turn::default(); asked.len()];
        let mut all = Elements::of(value)?;
        let (mut stale, mut lost) = (all.array()?, all.array()?);
        let (mut dead, mut claims, mut next) = (all.array()?, all.array()?, all.array()?);
        let mut alone = all.array()?;
        while !stale.is_empty() {
            if let Some((turn, at)) = self.ends.get(index(stale.number()?)) {
                turns[*turn].stale.push(asked[*turn].0[*at].held);
            }
        }
        while !lost.is_empty() {
            let (turn, _) = self.want(&mut lost)?;
            turns[turn].lost += count(lost.number()?);
        }
        while !dead.is_empty() {
            let mut job = dead.array()?;
            let (turn, _) = self.want(&mut job)?;
            turns[turn].dead.push(dead_job(&mut job)?);
        }
        while !claims.is_empty() {
            let mut claim = claims.array()?;
            let (turn, want) = self.want(&mut claim)?;
            turns[turn].claims.push(claimed(&mut claim, want)?);
        }
        while !next.is_empty() {
            let (turn, _) = self.want(&mut next)?;
            let at = duration(next.number()?);
            let turn = &mut turns[turn];
            turn.next = Some(turn.next.map_or(at, |other| other.min(at)));
        }
        while !alone.is_empty() {
            let (turn, _) = self.want(&mut alone)?;
            turns[turn].waits_to_be_alone = true;
        }
        Ok(turns)
    }
}

/// A dead job, as scripts return it.
pub(crate) fn dead_job(job: &mut Elements) -> Result<DeadJob, EngineError> {
    Ok(DeadJob {
        id: read_id(job)?,
        payload: job.text()?,
        attempts: small(job.number()?),
        error: job.text()?,
        pushed_at: instant(job.number()?),
        died_at: instant(job.number()?),
    })
}

fn claimed(claim: &mut Elements, want: usize) -> Result<Claim, EngineError> {
    Ok(Claim {
        want,
        held: Held { id: read_id(claim)?, claim: count(claim.number()?) },
        payload: claim.text()?,
        attempt: small(claim.number()?),
        lost: small(claim.number()?),
        priority: i8::try_from(claim.number()?).unwrap_or(0),
        pushed_at: instant(claim.number()?),
        last_error: claim.text_or_none()?,
    })
}

/// An id.
pub(crate) fn read_id(elements: &mut Elements) -> Result<JobId, EngineError> {
    let text = elements.text()?;
    id_of(&text).ok_or_else(|| failed_with(format!("`{text}` is no id")))
}

impl Work for Turns {
    type Request = Request;
    type Answer = Answer;

    fn unheard(&self, answer: Answer) {
        match answer {
            Answer::Turn(turn) => self.unreceived().left(turn),
            Answer::Renew(_) => {}
        }
    }

    fn afterwards(&self, session: &mut Session) {
        let back = GivingBack::take(&self.unreceived);
        if !back.is_empty() && matches!(self.trip(session, &[(back.ends(), &[])]), Ok(Ok(_))) {
            back.given(&[]);
        }
    }

    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Request>,
    ) -> Vec<Result<Answer, EngineError>> {
        let mut asked: Vec<Asked<'_>> = requests
            .iter()
            .filter_map(|request| match request {
                Request::Turn { ended, wants } => Some((&**ended, &**wants)),
                Request::Renew { .. } => None,
            })
            .collect();
        // Those that could not be given back after their own trip.
        let back = (!asked.is_empty()).then(|| GivingBack::take(&self.unreceived));
        let back = back.filter(|back| !back.is_empty());
        asked.extend(back.iter().map(|back| -> Asked<'_> { (back.ends(), &[]) }));
        let turns = self.turns(session, &asked);
        if let Some(back) = back
            && turns.last().is_some_and(Result::is_ok)
        {
            back.given(&[]);
        }
        let mut turns = turns.into_iter();
        requests
            .iter()
            .map(|request| match request {
                Request::Turn { .. } => match turns.next() {
                    Some(turn) => turn.map(Answer::Turn),
                    None => Ok(Answer::Turn(Turn::default())),
                },
                Request::Renew { held, lease } => {
                    self.renew(session, held, *lease).map(Answer::Renew)
                }
            })
            .collect()
    }
}
