-- erased: nothing of a buyer is left, and no record of the erasing either; unless they have come back, and are being erased
-- once more.
--
-- @keys erasing erasure
-- @args buyerId lastEvent
-- lastEvent: up to which the caller has seen to it that no trace is left
--
-- Idempotent by what is.
-- Result: {'done'}; {'kept'}

local call = redis.call
local head = call('HMGET', erasure, 'state', 'lastEvent')
if head[1] and (head[1] ~= 'traces' or head[2] ~= lastEvent) then return { 'kept' } end
call('DEL', erasure)
call('ZREM', erasing, buyerId)
return { 'done' }
