-- Counts the jobs of a queue. Arguments: the owner, and the queue.
--
-- Returns the numbers of ready, delayed, claimed and dead jobs, and how long the oldest of the ready ones has been
-- ready, in milliseconds; -1 if there is none.
local queue = ARGV[2]
local function count(key, upto)
  return call('ZLEXCOUNT', key, from(queue), upto or to(queue))
end
local due = count(LATER, to_now(queue))
local oldest = due > 0 and first_time(LATER, queue)
for priority = 0, 18 do
  local start = queue .. ' ' .. digits(priority, 2)
  local first = call('ZRANGEBYLEX', READY, '[' .. start, '(' .. start .. ':', 'LIMIT', 0, 1)[1]
  local at = first and tonumber(string.sub(first, -31, -17))
  oldest = at and oldest and math.min(at, oldest) or at or oldest
end
return {
  count(READY) + due, count(LATER) - due, count(CLAIMED), count(DEAD),
  oldest and math.max(0, now - oldest) or -1,
}
