-- Deletes a job that waits. Arguments: the owner, the queue, and the id.
--
-- Returns an array of 0 if it is deleted, 1 if it is claimed, and 2 if there is none.
local queue, id = ARGV[2], ARGV[3]
local row = read(id)
if not row or row[QUEUE] ~= queue then
  return {2}
end
if row[OWNER] then
  return {1}
end
call('ZREM', READY, ready_place(id, row))
call('ZREM', LATER, later_place(id, row))
call('HDEL', ROWS, id)
call('HDEL', PAYLOADS, id)
free_key(row)
return {0}
