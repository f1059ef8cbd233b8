-- Lists copies of done jobs. Arguments: the owner, the queue, the id after which to begin (empty: at the first), and
-- how many.
--
-- Returns for each its id, payload, attempts, and when it was pushed and done.
local queue = ARGV[2]
local start = ARGV[3] == '' and from(queue) or '(' .. queue .. ' ' .. ARGV[3]
local result = {}
for _, place in ipairs(call('ZRANGEBYLEX', DONE, start, to(queue), 'LIMIT', 0, ARGV[4])) do
  local id = string.sub(place, -16)
  local packed = call('HGET', DONE_ROWS, id)
  if packed then
    local attempt, created, done = unpack(cmsgpack.unpack(packed))
    result[#result + 1] = {id, call('HGET', PAYLOADS, id) or '', attempt, created, done}
  end
end
return result
