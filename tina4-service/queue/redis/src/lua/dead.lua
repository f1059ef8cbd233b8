-- Lists dead jobs. Arguments: the owner, the queue, the id after which to begin (empty: at the first), and how
-- many.
--
-- Returns for each its id, payload, attempts, error, and when it was pushed and died.
local queue = ARGV[2]
local start = ARGV[3] == '' and from(queue) or '(' .. queue .. ' ' .. ARGV[3]
local result = {}
for _, place in ipairs(call('ZRANGEBYLEX', DEAD, start, to(queue), 'LIMIT', 0, ARGV[4])) do
  local id = string.sub(place, -16)
  local packed = call('HGET', DEAD_ROWS, id)
  if packed then
    local _, _, attempt, _, err, created, died = unpack(cmsgpack.unpack(packed))
    result[#result + 1] = {id, call('HGET', PAYLOADS, id) or '', attempt, err, created, died}
  end
end
return result
