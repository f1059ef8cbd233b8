-- Renews claims of an owner. Arguments: the owner, the lease in milliseconds, and for each claim its id and
-- number.
--
-- Returns the numbers of the claims that are no longer held.
local ends = now + tonumber(ARGV[2])
local lost = {}
for n = 1, (#ARGV - 2) / 2 do
  local id = ARGV[2 * n + 1]
  local row = held(id, ARGV[2 * n + 2])
  if row then
    call('ZREM', CLAIMED, claimed_place(id, row))
    row[UNTIL] = ends
    write(id, row)
    call('ZADD', CLAIMED, 0, claimed_place(id, row))
    call('ZADD', MINE, ends, id)
  else
    lost[#lost + 1] = n
  end
end
if #ARGV / 2 - 1 > #lost then
  call('PEXPIRE', MINE, digits(tonumber(call('ZRANGE', MINE, -1, -1, 'WITHSCORES')[2]) - now + 3600000, 1))
end
return lost
