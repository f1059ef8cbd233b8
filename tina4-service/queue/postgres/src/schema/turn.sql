-- The error of a job whose claims were lost this often.
create function tina4.loss_error(lost integer) returns text language sql immutable as $$
select 'its claim was lost ' || case when lost = 1 then 'once' else lost || ' times' end
  || ': no result was stored, because its process was killed or paused, its connection failed, or its transaction was not committed'$$;

-- Ends claims of an owner, then claims jobs for it: `ends` are 0 done, 1 again, 2 dead, 3 back,
-- 4 done with a copy. Each want is an
-- element of the last seven parameters; times are in microseconds, and `marks` are those that an earlier turn has
-- returned for the queue, or null. One call at a time for each owner.
--
-- Rows by `kind`: 0 an end that was refused (`place`: which one), 1 claims that were lost (`n`: how many), 2 a job
-- that is dead, 3 a claim, 4 when the next job becomes ready by itself (`n`: in how many microseconds), 5 that the
-- next job runs alone and has to wait for other claims of the owner, 7 marks for the next turn (`payload`); `place` of
-- these is the want; 8 an end that was not made, because somebody else has locked its row (`place`: which one). Jobs that
-- are locked are not claimed, so that nobody waits for a transaction of anybody else.
--
-- `received`: null, or claims of this owner with higher numbers are given back, because an answer was lost that had them.
create function tina4.turn(
  me text, ids bigint[], claims bigint[], ends smallint[], delays bigint[], errors text[],
  queues text[], counts bigint[], leases bigint[], attempts bigint[], backoffs bigint[], max_backoffs bigint[],
  marks text[], received bigint)
returns table(kind integer, place bigint, n bigint, id bigint, claim bigint, payload text, attempt integer, lost integer,
  priority smallint, created bigint, died bigint, error text) language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_sort = off set enable_bitmapscan = off set jit = off set plan_cache_mode = force_generic_plan
set datestyle = 'ISO' set lock_timeout = '5s'
as $fn$
#variable_conflict use_column
declare
  t timestamptz := tina4.clock();
  -- Before everything that this turn looks at: what is not seen yet is looked at again by the next turn.
  seen txid_snapshot := txid_current_snapshot();
  generation bigint;
  free bigint[];
  locked bigint[] := '{}';
  accepted bigint[];
  m tina4.marks;
  known tina4.marks[] := '{}';
  ended bigint[];
  moved record;
  candidates bigint[];
  first_suspect bigint;
  claimed bigint;
  first_due timestamptz;
  first_id bigint;
  next_at timestamptz;
begin
  -- A claim or finish that is lost in a power cut is repeated.
  perform set_config('synchronous_commit', 'off', true);
  if received is not null then
    with x as materialized (
      select j.id from tina4.job j where j.state = 2 and j.owner = me and j.claim > received and j.lease > t
      for update skip locked)
    update tina4.job j set state = 0, attempt = j.attempt - 1, owner = null, lease = null, born = txid_current()
    from x where j.id = x.id;
  end if;
  if cardinality(ids) > 0 then
    for try in 1 .. 5 loop
      locked := '{}';
      free := array(select g.place from unnest(ids, claims) with ordinality g(id, claim, place), lateral (
        select from tina4.job j where j.id = g.id and j.claim = g.claim and j.owner = me and j.lease > t
        for update skip locked) j);
      exit when cardinality(free) = cardinality(ids);
      locked := array(select g.place from unnest(ids, claims) with ordinality g(id, claim, place), lateral (
        select from tina4.job j where j.id = g.id and j.claim = g.claim and j.owner = me and j.lease > t
        offset 0) j where g.place <> all (free) order by g.place);
      exit when cardinality(locked) = 0;
      -- Another turn that looked at a row while it was ready may lock it for a moment. For more than that, the other jobs
      -- of this owner do not wait.
      if try < 5 then
        perform pg_sleep(0.005);
      end if;
    end loop;
    if 4 = any (ends) then
      insert into tina4.done(queue, id, payload, attempt, created, done)
      select j.queue, j.id, j.payload, j.attempt, j.created, t from (
        select distinct on (x.id, x.claim) x.* from unnest(ids, claims, ends) with ordinality x(id, claim, kind, place)
        where x.place = any (free) order by x.id, x.claim, x.place) m, tina4.job j
      where j.id = m.id and m.kind = 4
      on conflict (queue, id) do update set payload = excluded.payload, attempt = excluded.attempt,
        created = excluded.created, done = excluded.done;
    end if;
    with mine as materialized (
      select distinct on (x.id, x.claim) x.* from unnest(ids, claims, ends, delays, errors)
        with ordinality x(id, claim, kind, delay, error, place)
      where x.place = any (free) order by x.id, x.claim, x.place),
    gone as (
      delete from tina4.job j using mine m where j.id = m.id and m.kind in (0, 2, 4)
      returning j.id, j.queue, j.payload, j.priority, j.attempt, j.claim, j.created, m.kind, m.error),
    buried as (
      insert into tina4.dead(id, queue, payload, priority, attempt, claim, error, created, died)
      select o.id, o.queue, o.payload, o.priority, o.attempt, o.claim, o.error, o.created, t from gone o where o.kind = 2),
    kept as (
      update tina4.job j set
        state = case when m.kind = 1 and m.delay > 0 then 1 else 0 end,
        due = case when m.kind = 1 then tina4.later(t, m.delay) else j.due end,
        error = case when m.kind = 1 then m.error else j.error end,
        attempt = case when m.kind = 3 then j.attempt - 1 else j.attempt end,
        owner = null, lease = null, born = txid_current()
      from mine m where j.id = m.id and m.kind in (1, 3))
    select coalesce(array_agg(m.place), '{}') into accepted from mine m;
    return query select 0, x.place, null::bigint, null::bigint, null::bigint, null::text, null::int, null::int,
      null::smallint, null::bigint, null::bigint, null::text
      from generate_series(1::bigint, cardinality(ids)) x(place)
      where x.place <> all (accepted) and x.place <> all (locked) order by x.place;
    return query select 8, x.place, null::bigint, null::bigint, null::bigint, null::text, null::int, null::int,
      null::smallint, null::bigint, null::bigint, null::text from unnest(locked) x(place);
  end if;

  if cardinality(queues) > 0 then
    generation := (select g.number from tina4.generation g);
    if generation is null then
      insert into tina4.generation default values on conflict do nothing;
      generation := (select g.number from tina4.generation g);
    end if;
  end if;

  for w in 1 .. cardinality(queues) loop
    m := marks[w]::tina4.marks;
    ended := '{}';
    if m.generation = generation then
      if txid_snapshot_xmin(m.seen) < txid_snapshot_xmax(m.seen) then
        ended := array(select txid_snapshot_xip(m.seen) except select txid_snapshot_xip(seen));
      end if;
    else
      m := row(generation, seen, array_fill('-infinity'::timestamptz, array[19]),
        array_fill((-9223372036854775808)::bigint, array[19]), '-infinity', '-infinity')::tina4.marks;
    end if;
    for try in 1 .. 2 loop
      -- What others have changed since the marks were set, and then what this turn has changed as well.
      for moved in
        select x.state, x.priority, min(x.at) as at from (
          select j.state, j.priority, case when j.state = 2 then j.lease else j.due end as at
          from tina4.job j where hashtext(j.queue) = hashtext(queues[w]) and j.queue = queues[w]
            and j.born >= txid_snapshot_xmax(m.seen)
          union all
          select y.state, y.priority, y.at from unnest(ended) e(xid), lateral (
            select j.state, j.priority, case when j.state = 2 then j.lease else j.due end as at
            from tina4.job j where hashtext(j.queue) = hashtext(queues[w]) and j.queue = queues[w] and j.born = e.xid
            offset 0) y) x
        group by x.state, x.priority
      loop
        if moved.state = 1 then
          m.later := least(m.later, moved.at);
        elsif moved.state = 2 then
          m.lease := least(m.lease, moved.at);
        elsif m.ready[10 - moved.priority] is null or moved.at <= m.ready[10 - moved.priority] then
          m.ready[10 - moved.priority] := moved.at;
          m.ready_id[10 - moved.priority] := -9223372036854775808;
        end if;
      end loop;
      exit when try = 2 or (m.later <= t or m.lease <= t) is not true;
      -- Jobs that are due. A limit, so that a flood of them does not hold up the others.
      with d as materialized (
        select j.id from tina4.job j where j.state = 1 and j.queue = queues[w] and j.due >= m.later and j.due <= t
        order by j.due limit 10000 for update skip locked)
      update tina4.job j set state = 0, born = txid_current() from d where j.id = d.id;
      -- Claims that are lost.
      return query with e as materialized (
        select j.id, j.attempt, j.lost + 1 as lost from tina4.job j
        where j.state = 2 and j.queue = queues[w] and j.lease >= m.lease and j.lease <= t
        order by j.lease, j.id limit 10000 for update skip locked),
      gone as (
        delete from tina4.job j using e where j.id = e.id and e.attempt >= attempts[w]
        returning j.id, j.queue, j.payload, j.priority, j.attempt, j.claim, e.lost, j.created),
      buried as (
        insert into tina4.dead(id, queue, payload, priority, attempt, claim, error, created, died)
        select g.id, g.queue, g.payload, g.priority, g.attempt, g.claim, tina4.loss_error(g.lost), g.created, t from gone g
        returning *),
      kept as (
        update tina4.job j set state = (s.delay > 0)::int, lost = s.lost, error = tina4.loss_error(s.lost),
          due = case when s.delay > 0 then tina4.later(t, s.delay) else j.due end, owner = null, lease = null,
          born = txid_current()
        from (select e.id, e.lost, case when e.lost <= 1 then 0
            else least(max_backoffs[w], backoffs[w] * power(2::float8, least(e.lost - 2, 62)))::bigint end as delay
          from e where e.attempt < attempts[w]) s
        where j.id = s.id)
      select 1, w::bigint, count(*), null::bigint, null::bigint, null::text, null::int, null::int,
        null::smallint, null::bigint, null::bigint, null::text from e having count(*) > 0
      union all
      select 2, w::bigint, null, b.id, b.claim, b.payload::text, b.attempt, null,
        b.priority, tina4.millis(b.created), tina4.millis(b.died), b.error from buried b;
    end loop;

    claimed := 0;
    -- Jobs that may kill their process run alone: see rule 132.
    if counts[w] > 0 and not exists (
      select from tina4.job j where j.owner = me and j.lost >= 2 and j.lease > t)
    then
      for p in 1 .. 19 loop
        continue when m.ready[p] is null;
        select array_agg(r.id order by r.place), min(r.place) filter (where r.lost >= 2) into candidates, first_suspect from (
          select x.id, x.lost, row_number() over () as place from (
            select j.id, j.lost from tina4.job j where j.state = 0 and j.queue = queues[w] and j.priority = 10 - p
              and (j.due, j.id) >= (m.ready[p], m.ready_id[p])
            order by j.due, j.id limit counts[w] - claimed for update skip locked) x) r;
        if first_suspect is not null then
          if first_suspect = 1 and claimed = 0 and not exists (
            select from tina4.job j where j.state = 2 and j.owner = me and j.lease > t)
          then
            candidates := candidates[1:1];
          else
            candidates := candidates[1:first_suspect - 1];
            return query select 5, w::bigint, null::bigint, null::bigint, null::bigint, null::text, null::int, null::int,
              null::smallint, null::bigint, null::bigint, null::text;
          end if;
        end if;
        return query with u as (
          -- The number of a claim has the time in it, because a crash of the server can undo the claim: the next one
          -- must not have the same number, or the two could not be told apart.
          update tina4.job j set state = 2, attempt = j.attempt + 1, owner = me, lease = tina4.later(t, leases[w]),
            claim = greatest(j.claim + 1, (extract(epoch from t) * 1000000)::bigint), born = txid_current()
          from unnest(candidates) with ordinality c(id, place) where j.id = c.id
          returning c.place, j.id, j.claim, j.payload, j.attempt, j.lost, j.priority, j.created, j.error)
        select 3, w::bigint, u.place, u.id, u.claim, u.payload::text, u.attempt, u.lost,
          u.priority, tina4.millis(u.created), null::bigint, u.error from u order by u.place;
        claimed := claimed + coalesce(cardinality(candidates), 0);
        -- Also the rows that others have locked, who may leave them as they are.
        select j.due, j.id into first_due, first_id from tina4.job j
        where j.state = 0 and j.queue = queues[w] and j.priority = 10 - p
          and (j.due, j.id) >= (m.ready[p], m.ready_id[p])
        order by j.due, j.id limit 1;
        m.ready[p] := first_due;
        m.ready_id[p] := first_id;
        exit when first_suspect is not null or claimed >= counts[w];
      end loop;
    end if;
    if claimed > 0 then
      m.lease := least(m.lease, tina4.later(t, leases[w]));
    end if;
    known[w] := m;
  end loop;

  for w in 1 .. cardinality(queues) loop
    m := known[w];
    m.later := (select j.due from tina4.job j where j.state = 1 and j.queue = queues[w] and j.due >= m.later
      order by j.due limit 1);
    m.lease := (select j.lease from tina4.job j where j.state = 2 and j.queue = queues[w] and j.lease >= m.lease
      order by j.lease limit 1);
    m.seen := seen;
    kind := 7; place := w; payload := m::text;
    n := null; id := null; claim := null; attempt := null; lost := null; priority := null;
    created := null; died := null; error := null;
    return next;
    next_at := least(m.later, m.lease);
    if next_at <= t then
      -- Either there is more than a turn takes, which the next one goes on with, or transactions of others have locked
      -- what is left: nobody is told when they end.
      perform 1 from tina4.job j where j.state = 1 and j.queue = queues[w] and j.due >= m.later and j.due <= t
        limit 1 for update skip locked;
      if not found then
        perform 1 from tina4.job j where j.state = 2 and j.queue = queues[w] and j.lease >= m.lease and j.lease <= t
          limit 1 for update skip locked;
      end if;
      if not found then
        next_at := least(t + interval '1 second',
          (select j.due from tina4.job j where j.state = 1 and j.queue = queues[w] and j.due > t order by j.due limit 1),
          (select j.lease from tina4.job j where j.state = 2 and j.queue = queues[w] and j.lease > t
            order by j.lease limit 1));
      end if;
    end if;
    if next_at is not null then
      kind := 4; n := tina4.micros(t, next_at); payload := null;
      return next;
    end if;
  end loop;
end $fn$;
