-- What version 2 adds: copies of done jobs. An id can be used again by a program that inserts rows with ids.
create table tina4.done(
  queue text not null,
  id bigint not null,
  payload json not null,
  attempt integer not null,
  created timestamptz not null,
  done timestamptz not null,
  primary key(queue, id)
);
create index done_at on tina4.done(queue, done);

-- Ends claims of an owner as done, and keeps copies of the jobs. Returns the places of those that were not held.
create function tina4.keep_done(me text, ids bigint[], claims bigint[]) returns setof bigint language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set lock_timeout = '5s'
as $fn$
#variable_conflict use_column
declare
  t timestamptz := tina4.clock();
  accepted bigint[];
begin
  with given as materialized (
    select distinct on (x.id, x.claim) x.* from unnest(ids, claims) with ordinality x(id, claim, place)
    order by x.id, x.claim, x.place),
  mine as materialized (
    select g.place, j.id from given g join tina4.job j on j.id = g.id
    where j.claim = g.claim and j.owner = me and j.state = 2 and j.lease > t for update of j),
  gone as (
    delete from tina4.job j using mine m where j.id = m.id
    returning j.queue, j.id, j.payload, j.attempt, j.created),
  kept as (
    insert into tina4.done(queue, id, payload, attempt, created, done)
    select g.queue, g.id, g.payload, g.attempt, g.created, t from gone g
    on conflict (queue, id) do update set payload = excluded.payload, attempt = excluded.attempt,
      created = excluded.created, done = excluded.done)
  select coalesce(array_agg(m.place), '{}') into accepted from mine m;
  return query select x.place from generate_series(1::bigint, cardinality(ids)) x(place)
    where x.place <> all (accepted) order by x.place;
end $fn$;

-- Lists copies of done jobs, by id.
create function tina4.done_jobs(queue text, after bigint, most bigint)
returns table(id bigint, payload text, attempt integer, created bigint, done bigint) language sql
set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $fn$
  select j.id, j.payload::text, j.attempt, tina4.millis(j.created), tina4.millis(j.done)
  from tina4.done j where j.queue = $1 and j.id > $2 order by j.id limit $3
$fn$;

-- Deletes copies of jobs that were done this many microseconds ago or longer, at most so many. Returns how many.
create function tina4.purge_done(queue text, age bigint, most bigint) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $fn$
#variable_conflict use_column
declare
  old_enough timestamptz := tina4.later(tina4.clock(), -age);
  deleted bigint;
begin
  -- One that a power cut undoes is repeated.
  perform set_config('synchronous_commit', 'off', true);
  with d as materialized (
    select j.id from tina4.done j where j.queue = $1 and j.done <= old_enough
    order by j.done limit $3 for update skip locked)
  delete from tina4.done j using d where j.queue = $1 and j.id = d.id;
  get diagnostics deleted = row_count;
  return deleted;
end $fn$;
