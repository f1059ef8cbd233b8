-- Puts dead jobs back, or deletes them. Arguments: the owner, the queue, 1 to put them back, the only id (empty:
-- all), the time before which they died (empty: any) and how long ago they died at least (empty: any) in milliseconds,
-- the id after which to begin (empty: at the first), and how many to look at.
--
-- Returns how many were taken, and the last id that was looked at, if there may be more.
local queue, is_redrive, only, before, age, after, limit = unpack(ARGV, 2, 8)
local places
if only ~= '' then
  local place = queue .. ' ' .. only
  places = call('ZSCORE', DEAD, place) and {place} or {}
else
  local start = after == '' and from(queue) or '(' .. queue .. ' ' .. after
  places = call('ZRANGEBYLEX', DEAD, start, to(queue), 'LIMIT', 0, limit)
end
local taken = 0
for _, place in ipairs(places) do
  local id = string.sub(place, -16)
  local packed = call('HGET', DEAD_ROWS, id)
  if packed then
    local _, priority, _, claim, err, created, died = unpack(cmsgpack.unpack(packed))
    if (before == '' or died < tonumber(before)) and (age == '' or died <= now - tonumber(age)) then
      if is_redrive == '1' then
        -- It keeps its claim number, which only grows.
        release(id, {queue, priority, now, 0, claim, 0, created, false, 0, err, false}, false)
      else
        call('HDEL', PAYLOADS, id)
      end
      call('HDEL', DEAD_ROWS, id)
      call('ZREM', DEAD, place)
      taken = taken + 1
    end
  end
end
local is_more = only == '' and #places == tonumber(limit)
return {taken, is_more and string.sub(places[#places], -16) or ''}
