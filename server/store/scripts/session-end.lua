-- session-end: one session ends. Its tokens are refused from now on.
--
-- @keys live session
-- @args agentId
--
-- Idempotent by what is: one that has ended stays so, and one of somebody else is left alone.
-- Result: {'ended'}; {'none'} there was none of this agent

local call = redis.call
if call('HGET', session, 'agent') ~= agentId then return { 'none' } end
call('DEL', session)
call('HINCRBY', live, 'revocations', 1)
return { 'ended' }
