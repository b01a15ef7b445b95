-- session-begin: a session of an agent begins, if what it is given for still holds: the account, and the password or key.
--
-- @keys config secrets session
-- @args now agentId password apiKey expiresAt endsAt
-- password: the hash that the password was checked against, '' where none was asked for
-- apiKey: the hash of the shop's key that asks for it, '' for none; the session ends with that key
-- expiresAt: when it ends unless it is refreshed; endsAt: when it ends however often it is
--
-- Idempotent by the session's id: one that is there stays as it is.
-- Result: {'gone'} no such account; {'changed'} password or key; {'begun'}

local call = redis.call
if call('HEXISTS', config, 'agent:' .. agentId) == 0 then return { 'gone' } end
if password ~= '' and call('HGET', secrets, 'password:' .. agentId) ~= password then return { 'changed' } end
if apiKey ~= '' and call('HGET', secrets, 'apiKey') ~= apiKey then return { 'changed' } end
if call('EXISTS', session) == 0 then
  local epoch = call('HGET', secrets, 'epoch:' .. agentId) or ''
  call('HSET', session, 'agent', agentId, 'epoch', epoch, 'apiKey', apiKey, 'generation', 0, 'expiresAt', expiresAt,
    'endsAt', endsAt)
  call('PEXPIRE', session, expiresAt - now)
end
return { 'begun' }
