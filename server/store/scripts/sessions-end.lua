-- sessions-end: every session of an agent ends: those that are begun from now on are of another epoch.
--
-- @keys live config secrets
-- @args agentId epoch
--
-- Idempotent by the epoch, as long as none has come after it.
-- Result: {'gone'} no such account; {'ended'}

local call = redis.call
if call('HEXISTS', config, 'agent:' .. agentId) == 0 then return { 'gone' } end
if call('HGET', secrets, 'epoch:' .. agentId) ~= epoch then
  call('HSET', secrets, 'epoch:' .. agentId, epoch)
  call('HINCRBY', live, 'revocations', 1)
end
return { 'ended' }
