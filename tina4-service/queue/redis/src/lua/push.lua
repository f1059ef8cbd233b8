-- Stores jobs. Arguments: the owner, the channel, and for each job its queue, payload, delay in milliseconds,
-- priority, key (empty if none), and window in milliseconds (empty: as long as the job exists).
--
-- Returns two elements for each job: 1 if it is new, and its id.
local COUNT = (#ARGV - 2) / 6
-- Ids follow the clock, so that none is used again if the server has lost its last writes.
local last = math.max(tonumber(call('GET', LAST_ID) or 0), now_micros - 1)
-- The first write, which the server may refuse.
call('SET', LAST_ID, digits(last + COUNT, 16))
local result, ready = {}, {}
for n = 0, COUNT - 1 do
  local queue, payload, delay, priority, key, window = unpack(ARGV, 3 + 6 * n, 8 + 6 * n)
  local field = queue .. ' ' .. key
  local known
  if key ~= '' then
    known = call('HGET', JOB_KEYS, field)
    if not known then
      local ends = call('ZSCORE', WINDOW_ENDS, field)
      known = ends and tonumber(ends) > now and call('HGET', WINDOWS, field)
    end
  end
  if known then
    result[#result + 1], result[#result + 2] = 0, known
  else
    last = last + 1
    local id = digits(last, 16)
    delay = tonumber(delay)
    local row = {queue, tonumber(priority), now + delay, 0, 0, 0, now, false, 0, false, false}
    if key ~= '' and window == '' then
      row[KEY] = key
      call('HSET', JOB_KEYS, field, id)
    elseif key ~= '' then
      for _, old in ipairs(call('ZRANGEBYSCORE', WINDOW_ENDS, '-inf', now, 'LIMIT', 0, 16)) do
        call('ZREM', WINDOW_ENDS, old)
        call('HDEL', WINDOWS, old)
      end
      call('ZADD', WINDOW_ENDS, now + tonumber(window), field)
      call('HSET', WINDOWS, field, id)
    end
    call('HSET', PAYLOADS, id, payload)
    release(id, row, delay > 0)
    if delay == 0 then
      ready[queue] = true
    end
    result[#result + 1], result[#result + 2] = 1, id
  end
end
for queue in pairs(ready) do
  -- A hint. A user who may not publish can push nevertheless.
  redis.pcall('PUBLISH', ARGV[2], queue)
end
return result
