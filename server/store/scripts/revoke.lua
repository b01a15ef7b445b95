-- revoke: every token that a buyer was given up to now is refused from now on.
--
-- @keys live revoked
-- @args now lastsMs
-- lastsMs: how long that is remembered
--
-- Idempotent by the time: the latest one counts.
-- Result: {'revoked', up to when}

local call = redis.call
local before = tonumber(call('HGET', revoked, 'upTo') or '')
if before and before >= now then return { 'revoked', before } end
call('HSET', revoked, 'upTo', stamp)
call('PEXPIRE', revoked, lastsMs)
call('HINCRBY', live, 'revocations', 1)
return { 'revoked', now }
