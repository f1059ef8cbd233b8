-- When queues have something to do. Arguments: the owner, and the queues.
--
-- Returns for each in how many milliseconds; -1 if not by itself.
local answers = {}
for n = 2, #ARGV do
  local queue = ARGV[n]
  local at = now
  if not call('ZRANGEBYLEX', READY, from(queue), to(queue), 'LIMIT', 0, 1)[1] then
    local due, lease = first_time(LATER, queue), first_time(CLAIMED, queue)
    at = due and lease and math.min(due, lease) or due or lease
  end
  answers[n - 1] = at and math.max(0, at - now) or -1
end
return answers
