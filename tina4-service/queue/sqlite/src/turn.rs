//! Turns: ends of claims, lost claims, and new claims.

use std::time::Duration;

use rusqlite::{Connection, Row, ToSql, params};
use tina4_service_queue::losses::{self, SUSPECT};
use tina4_service_queue::{Claim, DeadJob, End, Ended, Held, Timestamp, Turn, Want};

use crate::done;
use crate::numbers::{after, claim_of, count, id_of, limit, small};

/// The other owners that hold claims.
pub(crate) fn other_owners(connection: &Connection, owner: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("select distinct owner from tina4_job where state = 2 and owner <> ?1")?
        .query_map([owner], |row| row.get(0))?
        .collect()
}

/// Whether a turn for these requests would change anything, if these owners are gone.
pub(crate) fn has_work(
    connection: &Connection,
    wants: &[Want<'_>],
    gone: &[String],
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached(
        "select exists(select 1 from tina4_job where state = 0 and queue = ?1 and ?3)
           or exists(select 1 from tina4_job where state = 1 and queue = ?1 and due <= ?2)
           or exists(select 1 from tina4_job where state = 2 and queue = ?1 and lease <= ?2)",
    )?;
    let mut is_held = connection
        .prepare_cached("select 1 from tina4_job where state = 2 and queue = ?1 and owner = ?2")?;
    for want in wants {
        for owner in gone {
            if is_held.exists([want.queue, owner])? {
                return Ok(true);
            }
        }
        if select
            .query_row(params![want.queue, now.as_millis(), want.count > 0], |row| row.get(0))?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends claims, then claims jobs, in the current transaction. The claims of owners that are gone are lost.
pub(crate) fn turn(
    connection: &Connection,
    ended: &[Ended],
    wants: &[Want<'_>],
    gone: &[String],
    owner: &str,
    now: Timestamp,
) -> rusqlite::Result<Turn> {
    let mut turn = Turn::default();
    for ended in ended {
        if !end(connection, ended, owner, now)? {
            turn.stale.push(ended.held);
        }
    }
    for (index, want) in wants.iter().enumerate() {
        recover(connection, want, gone, now, &mut turn)?;
        claim(connection, index, want, owner, now, &mut turn)?;
    }
    turn.next = next_change(connection, wants, now)?;
    Ok(turn)
}

/// How long from now the next job becomes ready by itself.
pub(crate) fn next_change(
    connection: &Connection,
    wants: &[Want<'_>],
    now: Timestamp,
) -> rusqlite::Result<Option<Duration>> {
    let mut select = connection.prepare_cached(
        "select min(at) from (select min(due) at from tina4_job where state = 1 and queue = ?1
         union all select min(lease) from tina4_job where state = 2 and queue = ?1)",
    )?;
    let mut next: Option<i64> = None;
    for want in wants {
        let at: Option<i64> = select.query_row([want.queue], |row| row.get(0))?;
        next = next.into_iter().chain(at).min();
    }
    Ok(next.map(|at| Timestamp::from_millis(at).since(now)))
}

/// How long from now a turn of each queue has something to do, if these owners are gone.
pub(crate) fn next_due(
    connection: &Connection,
    queues: &[&str],
    gone: &[String],
    now: Timestamp,
) -> rusqlite::Result<Vec<Option<Duration>>> {
    let mut select = connection.prepare_cached(
        "select case when exists(select 1 from tina4_job where state = 0 and queue = ?1) then ?2
         else (select min(at) from (select min(due) at from tina4_job where state = 1 and queue = ?1
           union all select min(lease) from tina4_job where state = 2 and queue = ?1)) end",
    )?;
    let mut is_held = connection
        .prepare_cached("select 1 from tina4_job where state = 2 and queue = ?1 and owner = ?2")?;
    let mut next_due = |queue: &str| {
        for owner in gone {
            if is_held.exists([queue, owner])? {
                return Ok(Some(Duration::ZERO));
            }
        }
        let at: Option<i64> =
            select.query_row(params![queue, now.as_millis()], |row| row.get(0))?;
        Ok(at.map(|at| Timestamp::from_millis(at).since(now)))
    };
    queues.iter().map(|queue| next_due(queue)).collect()
}

/// Ends a claim as done. Returns whether it was held.
pub(crate) fn complete(
    connection: &Connection,
    held: Held,
    owner: &str,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some((row, claim)) = claim_of(held) else { return Ok(false) };
    let mut delete = connection.prepare_cached(
        "delete from tina4_job where id = ?1 and claim = ?2 and owner = ?3 and state = 2 and lease > ?4",
    )?;
    Ok(delete.execute(params![row, claim, owner, now.as_millis()])? == 1)
}

/// Renews a claim. Returns whether it was held.
pub(crate) fn renew(
    connection: &Connection,
    held: Held,
    owner: &str,
    lease: Duration,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some((row, claim)) = claim_of(held) else { return Ok(false) };
    let mut update = connection.prepare_cached(
        "update tina4_job set lease = ?5
         where id = ?1 and claim = ?2 and owner = ?3 and state = 2 and lease > ?4",
    )?;
    let lease = after(now, lease);
    Ok(update.execute(params![row, claim, owner, now.as_millis(), lease])? == 1)
}

/// Ends a claim. Returns whether it was held.
fn end(
    connection: &Connection,
    ended: &Ended,
    owner: &str,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some((row, claim)) = claim_of(ended.held) else { return Ok(false) };
    let changed = match &ended.end {
        End::Done => return complete(connection, ended.held, owner, now),
        End::Kept => return done::keep(connection, ended.held, owner, now),
        End::Again { delay, error } => connection
            .prepare_cached(
                "update tina4_job set state = ?5, due = ?6, error = ?7, owner = null, lease = null
                 where id = ?1 and claim = ?2 and owner = ?3 and state = 2 and lease > ?4",
            )?
            .execute(params![
                row,
                claim,
                owner,
                now.as_millis(),
                i64::from(!delay.is_zero()),
                after(now, *delay),
                error
            ])?,
        End::Back => connection
            .prepare_cached(
                "update tina4_job set state = 0, attempt = attempt - 1, owner = null, lease = null
                 where id = ?1 and claim = ?2 and owner = ?3 and state = 2 and lease > ?4",
            )?
            .execute(params![row, claim, owner, now.as_millis()])?,
        End::Dead { error } => {
            let is_held = connection
                .prepare_cached(
                    "select 1 from tina4_job
                     where id = ?1 and claim = ?2 and owner = ?3 and state = 2 and lease > ?4",
                )?
                .exists(params![row, claim, owner, now.as_millis()])?;
            if is_held {
                bury(connection, row, error, now)?;
            }
            usize::from(is_held)
        }
    };
    Ok(changed == 1)
}

/// Moves a job to the dead ones.
fn bury(
    connection: &Connection,
    row: i64,
    error: &str,
    now: Timestamp,
) -> rusqlite::Result<DeadJob> {
    let dead = connection
        .prepare_cached(
            "insert into tina4_dead(id, queue, payload, priority, attempt, claim, error, created, died)
             select id, queue, payload, priority, attempt, claim, ?2, created, ?3 from tina4_job where id = ?1
             returning id, payload, attempt, error, created, died",
        )?
        .query_row(params![row, error, now.as_millis()], dead_job)?;
    connection.prepare_cached("delete from tina4_job where id = ?1")?.execute([row])?;
    Ok(dead)
}

/// A dead job, from `id, payload, attempt, error, created, died`.
pub(crate) fn dead_job(row: &Row<'_>) -> rusqlite::Result<DeadJob> {
    Ok(DeadJob {
        id: id_of(row.get(0)?),
        payload: row.get(1)?,
        attempts: small(row.get(2)?),
        error: row.get(3)?,
        pushed_at: Timestamp::from_millis(row.get(4)?),
        died_at: Timestamp::from_millis(row.get(5)?),
    })
}

/// Ends the lost claims of a queue, and makes jobs ready that are due.
fn recover(
    connection: &Connection,
    want: &Want<'_>,
    gone: &[String],
    now: Timestamp,
    turn: &mut Turn,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "update tina4_job set state = 0 where state = 1 and queue = ?1 and due <= ?2",
        )?
        .execute(params![want.queue, now.as_millis()])?;
    let mut lost = claims_of(connection, "lease <= ?2", params![want.queue, now.as_millis()])?;
    for owner in gone {
        lost.extend(claims_of(
            connection,
            "lease > ?2 and owner = ?3",
            params![want.queue, now.as_millis(), owner],
        )?);
    }
    for (row, attempt, lost) in lost {
        turn.lost += 1;
        let error = losses::error(lost);
        if want.policy.is_last(attempt) {
            turn.dead.push(bury(connection, row, &error, now)?);
            continue;
        }
        let delay = want.policy.delay_after_loss(lost);
        connection
            .prepare_cached(
                "update tina4_job set state = ?2, due = iif(?2 = 1, ?3, due), lost = ?4, error = ?5,
                 owner = null, lease = null where id = ?1",
            )?
            .execute(params![row, i64::from(!delay.is_zero()), after(now, delay), lost, error])?;
    }
    Ok(())
}

/// The claimed jobs of a queue for which a condition holds: their rows, attempts, and how often their
/// claims are lost with this one.
fn claims_of(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> rusqlite::Result<Vec<(i64, u32, u32)>> {
    connection
        .prepare_cached(&format!(
            "select id, attempt, lost + 1 from tina4_job
             where state = 2 and queue = ?1 and {condition} order by lease, id"
        ))?
        .query_map(values, |row| Ok((row.get(0)?, small(row.get(1)?), small(row.get(2)?))))?
        .collect()
}

/// Claims ready jobs of a queue, in their order.
///
/// The jobs are read first and then updated by their rows: `returning` would cost a temporary table and a savepoint for
/// each statement, which is a third of what a claim costs.
fn claim(
    connection: &Connection,
    index: usize,
    want: &Want<'_>,
    owner: &str,
    now: Timestamp,
    turn: &mut Turn,
) -> rusqlite::Result<()> {
    let ready = connection
        .prepare_cached(
            "select id, claim + 1, payload, attempt + 1, lost, priority, created, error
             from tina4_job where state = 0 and queue = ?1
             order by priority desc, due, id limit ?2",
        )?
        .query_map(params![want.queue, limit(want.count)], |row| {
            Ok((row.get(0)?, claimed(row, index)?))
        })?
        .collect::<rusqlite::Result<Vec<(i64, Claim)>>>()?;
    if ready.is_empty() {
        return Ok(());
    }
    let (mut held, mut most_lost) = held_by(connection, owner, now)?;
    let mut update = connection.prepare_cached(
        "update tina4_job set state = 2, attempt = attempt + 1, claim = claim + 1, owner = ?2, lease = ?3
         where id = ?1",
    )?;
    let lease = after(now, want.lease);
    for (row, claim) in ready {
        let lost = claim.lost;
        if most_lost >= SUSPECT || (lost >= SUSPECT && held > 0) {
            turn.waits_to_be_alone |= lost >= SUSPECT;
            break;
        }
        update.execute(params![row, owner, lease])?;
        turn.claims.push(claim);
        held += 1;
        most_lost = most_lost.max(lost);
    }
    Ok(())
}

/// How many jobs this owner holds, and how often at most one of them was lost.
fn held_by(connection: &Connection, owner: &str, now: Timestamp) -> rusqlite::Result<(u64, u32)> {
    let mut select = connection.prepare_cached(
        "select count(*), coalesce(max(lost), 0) from tina4_job
         where state = 2 and owner = ?1 and lease > ?2",
    )?;
    select.query_row(params![owner, now.as_millis()], |row| {
        Ok((count(row.get(0)?), small(row.get(1)?)))
    })
}

fn claimed(row: &Row<'_>, want: usize) -> rusqlite::Result<Claim> {
    Ok(Claim {
        held: Held { id: id_of(row.get(0)?), claim: count(row.get(1)?) },
        want,
        payload: row.get(2)?,
        attempt: small(row.get(3)?),
        lost: small(row.get(4)?),
        priority: row.get(5)?,
        pushed_at: Timestamp::from_millis(row.get(6)?),
        last_error: row.get(7)?,
    })
}
