-- What all scripts share: the keys, the clock, and the shape of a job. Each script is this text and its own.
--
-- A script that fails halfway is not undone, so nothing here can fail after the first write: what the server may
-- refuse (no memory, a replica, a full disk), it refuses at the first write of a script.
local LAST_ID, ROWS, PAYLOADS, READY, LATER, CLAIMED, DEAD, DEAD_ROWS, JOB_KEYS, WINDOWS, WINDOW_ENDS, MINE =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
-- Copies of done jobs: only for scripts that read them, or write some.
local DONE, DONE_ROWS, DONE_AT = KEYS[13], KEYS[14], KEYS[15]
local call = redis.call

-- The clock that decides about delays and leases. Microseconds fit in a number until the year 2255.
local clock = call('TIME')
local now_micros = clock[1] * 1000000 + clock[2]
local now = math.floor(now_micros / 1000)

-- The places of a row. A job that nobody holds has no owner (`false`); one without an error or a key has `false`
-- there.
local QUEUE, PRIORITY, DUE, ATTEMPT, CLAIM, LOST, CREATED, OWNER, UNTIL, ERROR, KEY = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11

local function read(id)
  local packed = call('HGET', ROWS, id)
  return packed and cmsgpack.unpack(packed)
end

local function write(id, row)
  call('HSET', ROWS, id, cmsgpack.pack(row))
end

local function digits(number, width)
  return string.format('%0' .. width .. '.0f', number)
end

-- The places of a job in the sorted sets, which have one score and so sort by text: an id has 16 digits, a time 15, and
-- a rank (the reverse of the priority) 2. Names of queues have no spaces.
local function rank(row)
  return digits(9 - row[PRIORITY], 2)
end

local function ready_place(id, row)
  return row[QUEUE] .. ' ' .. rank(row) .. digits(row[DUE], 15) .. id
end

local function later_place(id, row)
  return row[QUEUE] .. ' ' .. digits(row[DUE], 15) .. id .. rank(row)
end

local function claimed_place(id, row)
  return row[QUEUE] .. ' ' .. digits(row[UNTIL], 15) .. id
end

-- The bounds of the places of a queue.
local function from(queue)
  return '[' .. queue .. ' '
end

local function to(queue)
  return '(' .. queue .. '!'
end

-- The bound of those places that begin with a time up to now.
local function to_now(queue)
  return '(' .. queue .. ' ' .. digits(now + 1, 15)
end

-- The first time in a set of places that begin with one.
local function first_time(key, queue)
  local first = call('ZRANGEBYLEX', key, from(queue), to(queue), 'LIMIT', 0, 1)[1]
  return first and tonumber(string.sub(first, #queue + 2, #queue + 16))
end

-- Makes a job ready, now or later, that is in no set.
local function release(id, row, is_later)
  row[OWNER], row[UNTIL] = false, 0
  write(id, row)
  if is_later then
    call('ZADD', LATER, 0, later_place(id, row))
  else
    call('ZADD', READY, 0, ready_place(id, row))
  end
end

local function free_key(row)
  if row[KEY] then
    call('HDEL', JOB_KEYS, row[QUEUE] .. ' ' .. row[KEY])
  end
end

-- Moves a job that is in no set to the dead ones.
local function bury(id, row, err)
  call('HDEL', ROWS, id)
  free_key(row)
  local dead = {row[QUEUE], row[PRIORITY], row[ATTEMPT], row[CLAIM], err, row[CREATED], now}
  call('HSET', DEAD_ROWS, id, cmsgpack.pack(dead))
  call('ZADD', DEAD, 0, row[QUEUE] .. ' ' .. id)
end

-- The row of a claim that this owner holds.
local function held(id, claim)
  local row = read(id)
  if row and row[OWNER] == ARGV[1] and row[CLAIM] == tonumber(claim) and row[UNTIL] > now then
    return row
  end
end
