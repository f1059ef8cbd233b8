-- Ends claims of an owner, then claims jobs for it. Arguments: the owner; the number of ends; nothing, or a number: claims of
-- this owner with higher ones are given back, because an answer was lost that had them; for each end its id, claim, kind (0 done, 1 again, 2 dead, 3 back, 4 done with a copy), delay in milliseconds and error; then for each want
-- its queue, count, lease in milliseconds, attempts, and backoff and maximum backoff in microseconds.
--
-- Returns six arrays. Ends that were refused: their numbers. Lost claims: the number of the want, and how many.
-- Jobs that are dead. Claims. When the next job becomes ready by itself: the number of the want, and in how many
-- milliseconds. The numbers of the wants whose next job runs alone, and waits because the owner holds others.
local ME, ENDS, RECEIVED = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- How many jobs are moved for a want in one turn, so that a flood of them does not hold up other programs.
local FLOOD = 1000

-- After how many lost claims a job runs alone.
local SUSPECT = 2

local stale, lost, dead, claims, next_ready, alone = {}, {}, {}, {}, {}, {}

-- Also the first write: one that a server without memory does not refuse, so that jobs can be finished there.
call('ZREMRANGEBYSCORE', MINE, '-inf', now)

if RECEIVED then
  for _, id in ipairs(call('ZRANGE', MINE, 0, -1)) do
    local row = read(id)
    if row and row[OWNER] == ME and row[CLAIM] > RECEIVED and row[UNTIL] > now then
      call('ZREM', CLAIMED, claimed_place(id, row))
      call('ZREM', MINE, id)
      row[ATTEMPT] = row[ATTEMPT] - 1
      release(id, row, false)
    end
  end
end

for n = 1, ENDS do
  local id, claim, kind, delay, err = unpack(ARGV, 5 * n - 1, 5 * n + 3)
  local row = held(id, claim)
  if not row then
    stale[#stale + 1] = n
  else
    call('ZREM', CLAIMED, claimed_place(id, row))
    call('ZREM', MINE, id)
    if kind == '0' then
      call('HDEL', ROWS, id)
      call('HDEL', PAYLOADS, id)
      free_key(row)
    elseif kind == '1' then
      row[DUE], row[ERROR] = now + tonumber(delay), err
      release(id, row, tonumber(delay) > 0)
    elseif kind == '2' then
      bury(id, row, err)
    elseif kind == '3' then
      row[ATTEMPT] = row[ATTEMPT] - 1
      release(id, row, false)
    else
      call('HDEL', ROWS, id)
      free_key(row)
      call('HSET', DONE_ROWS, id, cmsgpack.pack({row[ATTEMPT], row[CREATED], now}))
      call('ZADD', DONE, 0, row[QUEUE] .. ' ' .. id)
      call('ZADD', DONE_AT, 0, row[QUEUE] .. ' ' .. digits(now, 15) .. id)
    end
  end
end

local function loss_error(count)
  return 'its claim was lost ' .. (count == 1 and 'once' or digits(count, 1) .. ' times')
    .. ': no result was stored, because its process was killed or paused, its connection failed, or its transaction was not committed'
end

local wants = {}
for n = ENDS * 5 + 4, #ARGV, 6 do
  local queue, count, lease, attempts, backoff, max_backoff = unpack(ARGV, n, n + 5)
  wants[#wants + 1] = {
    queue = queue, count = tonumber(count), lease = tonumber(lease), attempts = tonumber(attempts),
    backoff = tonumber(backoff), max_backoff = tonumber(max_backoff),
  }
end

-- Jobs that this owner holds. One that runs alone is the only one.
local holds = call('ZCARD', MINE)
local is_alone = false
if holds == 1 then
  local row = read(call('ZRANGE', MINE, 0, 0)[1])
  is_alone = row and row[LOST] >= SUSPECT
end

for number, want in ipairs(wants) do
  local queue = want.queue
  -- Jobs that are due.
  for _, place in ipairs(call('ZRANGEBYLEX', LATER, from(queue), to_now(queue), 'LIMIT', 0, FLOOD)) do
    call('ZREM', LATER, place)
    call('ZADD', READY, 0, queue .. ' ' .. string.sub(place, -2) .. string.sub(place, -33, -3))
  end
  -- Claims that are lost.
  local places = call('ZRANGEBYLEX', CLAIMED, from(queue), to_now(queue), 'LIMIT', 0, FLOOD)
  for _, place in ipairs(places) do
    call('ZREM', CLAIMED, place)
    local id = string.sub(place, -16)
    local row = read(id)
    if row and row[ATTEMPT] >= want.attempts then
      local err = loss_error(row[LOST] + 1)
      bury(id, row, err)
      dead[#dead + 1] =
        {number, id, call('HGET', PAYLOADS, id) or '', row[ATTEMPT], err, row[CREATED], now}
    elseif row then
      row[LOST] = row[LOST] + 1
      row[ERROR] = loss_error(row[LOST])
      local delay = 0
      if row[LOST] > 1 then
        local doubled = want.backoff * 2 ^ math.min(row[LOST] - 2, 62)
        delay = math.ceil(math.min(want.max_backoff, doubled) / 1000)
      end
      if delay > 0 then
        row[DUE] = now + delay
      end
      release(id, row, delay > 0)
    end
  end
  if #places > 0 then
    lost[#lost + 1], lost[#lost + 2] = number, #places
  end
  if want.count > 0 and not is_alone then
    for _, place in ipairs(call('ZRANGEBYLEX', READY, from(queue), to(queue), 'LIMIT', 0, want.count)) do
      local id = string.sub(place, -16)
      local row = read(id)
      if row then
        if row[LOST] >= SUSPECT and holds > 0 then
          alone[#alone + 1] = number
          break
        end
        -- The number has the time in it: a server that has lost its last writes must not use a number again.
        row[CLAIM] = math.max(row[CLAIM] + 1, now_micros)
        row[ATTEMPT] = row[ATTEMPT] + 1
        row[OWNER], row[UNTIL] = ME, now + want.lease
        write(id, row)
        call('ZADD', CLAIMED, 0, claimed_place(id, row))
        call('ZADD', MINE, row[UNTIL], id)
        holds = holds + 1
        claims[#claims + 1] = {
          number, id, row[CLAIM], call('HGET', PAYLOADS, id) or '', row[ATTEMPT], row[LOST], row[PRIORITY],
          row[CREATED], row[ERROR],
        }
      end
      call('ZREM', READY, place)
      if row and row[LOST] >= SUSPECT then
        is_alone = true
        break
      end
    end
  end
end

if #claims > 0 then
  -- Nobody else removes the list of an owner that is gone. An hour more than its longest lease.
  local longest = call('ZRANGE', MINE, -1, -1, 'WITHSCORES')[2]
  call('PEXPIRE', MINE, digits(tonumber(longest) - now + 3600000, 1))
end

for number, want in ipairs(wants) do
  local due, lease = first_time(LATER, want.queue), first_time(CLAIMED, want.queue)
  local at = due and lease and math.min(due, lease) or due or lease
  if at then
    next_ready[#next_ready + 1], next_ready[#next_ready + 2] = number, math.max(0, at - now)
  end
end
return {stale, lost, dead, claims, next_ready, alone}
