-- Deletes copies of done jobs. Arguments: the owner, the queue, how long ago they were done at least in milliseconds,
-- and how many to delete at most.
--
-- Returns how many were deleted.
local queue = ARGV[2]
local old_enough = '(' .. queue .. ' ' .. digits(math.max(0, now - tonumber(ARGV[3]) + 1), 15)
local places = call('ZRANGEBYLEX', DONE_AT, from(queue), old_enough, 'LIMIT', 0, ARGV[4])
for _, place in ipairs(places) do
  local id = string.sub(place, -16)
  call('ZREM', DONE_AT, place)
  call('ZREM', DONE, queue .. ' ' .. id)
  call('HDEL', DONE_ROWS, id)
  call('HDEL', PAYLOADS, id)
end
return {#places}
