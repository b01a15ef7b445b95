-- session-refresh: a session goes on; what refreshed it serves no more. Shown again, it betrays that somebody has a copy.
--
-- @keys live secrets session
-- @args now generation lastsMs graceMs
-- generation: of the refresh token that is shown; lastsMs: how long the session lasts from now
-- graceMs: for so long the token before the present one answers the same once more: its answer may have been lost
--
-- Idempotent by the generation, for the length of the grace.
-- Result: {'gone'} ended, or never was; {'reused'} ended now, as an older token came; {'refreshed', generation, expiresAt}

local call = redis.call
local agent, epoch, apiKey, present, expiresAt, endsAt, refreshedAt = unpack(call('HMGET', session, 'agent', 'epoch',
  'apiKey', 'generation', 'expiresAt', 'endsAt', 'refreshedAt'))
if not agent or tonumber(expiresAt) <= now then return { 'gone' } end
if (call('HGET', secrets, 'epoch:' .. agent) or '') ~= epoch then return { 'gone' } end
if apiKey ~= '' and call('HGET', secrets, 'apiKey') ~= apiKey then return { 'gone' } end

local shown = tonumber(generation)
present = tonumber(present)
if shown < present then
  if shown == present - 1 and now - refreshedAt <= tonumber(graceMs) then
    return { 'refreshed', present, tonumber(expiresAt) }
  end
  call('DEL', session)
  call('HINCRBY', live, 'revocations', 1)
  return { 'reused' }
end

-- A generation later than ours was answered before Redis lost it in a crash: it is taken as it is.
local expires = math.min(now + tonumber(lastsMs), tonumber(endsAt))
call('HSET', session, 'generation', shown + 1, 'refreshedAt', stamp, 'expiresAt', expires)
call('PEXPIRE', session, expires - now)
return { 'refreshed', shown + 1, expires }
