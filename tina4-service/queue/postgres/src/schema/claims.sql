-- Renews claims of an owner. Returns those that are no longer held. One that stays locked, such as by the transaction
-- that finishes it, remains as it is.
create function tina4.renew(me text, ids bigint[], claims bigint[], micros bigint)
returns table(place bigint) language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set lock_timeout = '5s'
as $fn$
#variable_conflict use_column
declare
  t timestamptz := tina4.clock();
  renewed timestamptz := tina4.later(t, micros);
begin
  perform set_config('synchronous_commit', 'off', true);
  for try in 1 .. 5 loop
    with mine as materialized (
      select j.id from unnest(ids, claims) g(id, claim) join tina4.job j on j.id = g.id
      where j.claim = g.claim and j.owner = me and j.lease > t and j.lease <> renewed
      for update of j skip locked)
    update tina4.job j set lease = renewed, born = txid_current() from mine m where j.id = m.id;
    exit when not exists (select from unnest(ids, claims) g(id, claim) join tina4.job j on j.id = g.id
      where j.claim = g.claim and j.owner = me and j.lease > t and j.lease <> renewed);
    -- Another turn that looked at a row while it was ready may lock it for a moment.
    perform pg_sleep(0.005);
  end loop;
  return query select g.place from unnest(ids, claims) with ordinality g(id, claim, place)
    where not exists (select from tina4.job j
      where j.id = g.id and j.claim = g.claim and j.owner = me and j.lease > t)
    order by g.place;
end $fn$;

-- Ends a claim as done, in the transaction of the caller. Returns whether it was held.
create function tina4.complete(me text, job bigint, number bigint) returns boolean language plpgsql
set search_path = pg_catalog, pg_temp
as $fn$
begin
  delete from tina4.job j where j.id = job and j.claim = number and j.owner = me
    and j.lease > tina4.clock();
  return found;
end $fn$;
