-- Stores jobs. Times are in microseconds; a window of null is a key that is taken while its job exists.
-- `patience`: how many milliseconds to wait for a lock at most, such as that of a key that another transaction is about
-- to take; the commit is then synced even if the server does not do so by default. Null in a transaction of the program,
-- which decides both.
create function tina4.push_jobs(
  queues text[], payloads text[], delays bigint[], priorities smallint[], keys text[], windows bigint[], patience integer)
returns table(id bigint, is_new boolean) language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $fn$
#variable_conflict use_column
declare
  t timestamptz;
  lock_id bigint;
  taken bigint;
begin
  if patience is not null then
    if current_setting('synchronous_commit') = 'off' then
      perform set_config('synchronous_commit', 'on', true);
    end if;
    perform set_config('lock_timeout', patience::text, true);
  end if;
  -- In order, so that two pushes of the same keys do not wait for each other.
  for lock_id in
    select distinct hashtextextended(x.queue || ' ' || x.key, 18) as lock_id
    from unnest(queues, keys) x(queue, key) where x.key is not null order by lock_id
  loop
    perform pg_advisory_xact_lock(lock_id);
  end loop;
  t := tina4.clock();
  for n in 1 .. cardinality(queues) loop
    is_new := true;
    if keys[n] is null then
      insert into tina4.job(queue, payload, state, priority, due, created)
      values (queues[n], payloads[n]::json, (delays[n] > 0)::int, priorities[n], tina4.later(t, delays[n]), t)
      returning job.id into id;
      return next;
      continue;
    end if;
    loop
      select x.id into taken from (
        select j.id from tina4.job j where j.queue = queues[n] and j.key = keys[n]
        union all
        select k.job from tina4.key k where k.queue = queues[n] and k.key = keys[n] and k.until > t) x limit 1;
      if found then
        id := taken;
        is_new := false;
        exit;
      end if;
      insert into tina4.job(queue, payload, state, priority, due, created, key)
      values (queues[n], payloads[n]::json, (delays[n] > 0)::int, priorities[n], tina4.later(t, delays[n]), t,
        case when windows[n] is null then keys[n] end)
      on conflict (queue, key) where key is not null do nothing
      returning job.id into id;
      -- Otherwise somebody inserted a row with this key without the lock.
      exit when found;
    end loop;
    if is_new and windows[n] is not null then
      delete from tina4.key k where (k.queue, k.key) in (
        select o.queue, o.key from tina4.key o where o.until <= t order by o.until limit 16 for update skip locked);
      insert into tina4.key(queue, key, job, until) values (queues[n], keys[n], id, tina4.later(t, windows[n]))
      on conflict (queue, key) do update set job = excluded.job, until = excluded.until;
    end if;
    return next;
  end loop;
end $fn$;

-- A push for other programs and languages, with all options. Returns the id of the job, also if the key is taken.
create function tina4.push(
  queue text, payload json, delay interval default '0', priority integer default 0, key text default null)
returns bigint language plpgsql as $fn$
#variable_conflict use_variable
declare
  micros bigint := greatest(0, ceil(extract(epoch from delay) * 1000000))::bigint;
  job bigint;
begin
  select p.id into job from tina4.push_jobs(
    array[queue], array[payload::text], array[micros], array[priority::smallint], array[key], array[null::bigint], null) p;
  perform tina4.notify(queue);
  return job;
end $fn$;
