-- erasing: from now on a buyer is being erased: recorded before anything is taken away, so that whoever comes after a crash
-- knows what to go on with.
--
-- @keys audit erasing erasure buyer
-- @args now request buyerId by
-- by: who has asked for it, '<kind>:<id>'
--
-- Idempotent by the request, also when all has been done meanwhile: the audit log knows it then. A buyer who comes back is
-- not erased by a request that is sent again.
-- Result: {'nobody'} there is no such buyer; {'done'}

local call = redis.call
if call('HGET', erasure, 'request') == request then return { 'done' } end
for _, entry in ipairs(call('XREVRANGE', audit, '+', '-', 'COUNT', '100')) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'request' and fields[i + 1] == request then return { 'done' } end
  end
end

if call('EXISTS', buyer) == 0 then
  return { call('ZSCORE', erasing, buyerId) and 'done' or 'nobody' }
end
call('ZADD', erasing, 'NX', stamp, buyerId)
call('HSET', erasure, 'state', 'talk', 'request', request, 'by', by)
return { 'done' }
