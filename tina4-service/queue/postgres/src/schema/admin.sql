-- When a turn of each queue has something to do: in how many microseconds; null if not by itself. Each part is ordered as
-- an index is, so that the server reads one row for it. Nobody waits long for the answer, so it does not wait long for
-- the lock of the table either.
create function tina4.next_due(queues text[]) returns table(place bigint, wait bigint) language sql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_sort = off set lock_timeout = '500ms'
as $fn$
  with t as materialized (select tina4.clock() as now)
  select q.place, case
    when (select true from tina4.job j where j.state = 0 and j.queue = q.queue
      order by j.priority desc, j.due, j.id limit 1) then 0
    else tina4.micros(t.now, least(
      (select j.due from tina4.job j where j.state = 1 and j.queue = q.queue order by j.due limit 1),
      (select j.lease from tina4.job j where j.state = 2 and j.queue = q.queue order by j.lease limit 1))) end
  from t, unnest($1) with ordinality q(queue, place)
$fn$;

-- Counts the jobs of a queue; `oldest`: for how many microseconds the oldest ready one has been ready.
create function tina4.backlog(queue text)
returns table(ready bigint, delayed bigint, claimed bigint, dead bigint, oldest bigint) language sql
set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $fn$
  select r.n + d.n, l.n - d.n, c.n, x.n, tina4.micros(least(r.oldest, d.oldest), t.now)
  from (select tina4.clock() as now) t,
    lateral (select count(*) n, min(j.due) oldest from tina4.job j where j.state = 0 and j.queue = $1) r,
    lateral (select count(*) n, min(j.due) oldest from tina4.job j where j.state = 1 and j.queue = $1 and j.due <= t.now) d,
    lateral (select count(*) n from tina4.job j where j.state = 1 and j.queue = $1) l,
    lateral (select count(*) n from tina4.job j where j.state = 2 and j.queue = $1) c,
    lateral (select count(*) n from tina4.dead j where j.queue = $1) x
$fn$;

-- Deletes a job that waits. Returns whether it is deleted, and whether it is there and claimed.
create function tina4.cancel(queue text, id bigint) returns table(is_deleted boolean, is_claimed boolean) language sql
set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $fn$
  with d as (delete from tina4.job j where j.id = $2 and j.queue = $1 and j.state <> 2 returning j.id)
  select exists(select from d), exists(select from tina4.job j where j.id = $2 and j.queue = $1)
$fn$;

-- Lists dead jobs, by id.
create function tina4.dead_jobs(queue text, after bigint, most bigint)
returns table(id bigint, payload text, attempt integer, error text, created bigint, died bigint) language sql
set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $fn$
  select j.id, j.payload::text, j.attempt, j.error, tina4.millis(j.created), tina4.millis(j.died)
  from tina4.dead j where j.queue = $1 and j.id > $2 order by j.id limit $3
$fn$;

-- Puts dead jobs back, or deletes them: at most `most`, with ids after `after`. Null is any: `one` is the only id,
-- `before` when they died before in milliseconds, and `age` how long ago they died at least in microseconds.
-- Returns how many were taken, and if there may be more, the last of their ids. Another transaction may have taken
-- some of them meanwhile.
create function tina4.take_dead(
  queue text, one bigint, before bigint, age bigint, after bigint, most bigint, is_redrive boolean)
returns table(taken bigint, last bigint) language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $fn$
#variable_conflict use_column
declare
  old_enough timestamptz := tina4.later(tina4.clock(), -age);
begin
  return query with d as materialized (
    select j.id from tina4.dead j where j.queue = $1 and j.id > $5 and ($2 is null or j.id = $2)
      and ($3 is null or tina4.millis(j.died) < $3) and ($4 is null or j.died <= old_enough)
    order by j.id limit $6),
  gone as (delete from tina4.dead j using d where j.id = d.id
    returning j.id, j.queue, j.payload, j.priority, j.claim, j.error, j.created),
  back as (insert into tina4.job(id, queue, payload, priority, claim, error, created)
    select g.id, g.queue, g.payload, g.priority, g.claim, g.error, g.created from gone g where $7)
  select (select count(*) from gone), (select max(d.id) from d having count(*) >= $6);
end $fn$;
