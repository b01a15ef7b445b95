-- presence: what an agent chose, and which sockets hold them connected, become one effective presence.
--
-- @keys live waits owed overnight todo lapses sockets shifts events audit
-- @ready the ready sets of the whole shop and of every group
-- @args now version agentId change value detail graceMs by
-- change: 'choose' a presence, detail: '' for their own choice, else the supervisor who made it | 'connect' a socket,
-- detail: the node that has it | 'disconnect' it, detail: the node that it must stand under, '' for any | 'lapse' whatever
-- grace has ended | 'silent': has left this conversation without a reply since detail
-- by: who is accountable for it, '<kind>:<id>', '' for nobody: their own choice, or what came about
-- @include live fresh agent presence audit
--
-- Idempotent by what is: the same choice, or a socket already known or gone, changes nothing. A socket known under another
-- node is moved to the one that says it has it.
-- Result: {'stale'}; {'unknown'}; {'done', chosen, effective, loads, presence changes}

-- Refused before anything is changed: a return without flush() would lose half of a lapse.
local a = change ~= 'lapse' and agentOf(agentId)
if a and not a.kind and change ~= 'disconnect' then return { 'unknown' } end

lapse()
if change == 'lapse' then
  flush()
  return { 'done', '', '', loads(), presenceChanges }
end

local countField = agentId .. ':sockets'
local socketField = agentId .. ':' .. value

if change == 'choose' then
  local chosen, presence = get(agentId .. ':chosen') or 'offline', a.presence
  put(agentId .. ':chosen', value)
  if get(agentId .. ':silent') == '1' then put(agentId .. ':silent', '') end
  become(a, effective(a), detail == '' and 'chose' or 'supervisor', now, detail)
  local was = chosen ~= value and chosen or presence
  if by ~= '' and (chosen ~= value or presence ~= a.presence) then
    account(by, 'presence:set', agentId, { 'presence', was, value }, '')
  end
elseif change == 'connect' then
  if call('HSET', sockets, socketField, detail) == 1 then
    add(countField, 1)
    if call('ZREM', lapses, agentId) == 1 then nextLapse() end
    become(a, effective(a), 'connected')
  end
elseif change == 'disconnect' then
  local stands = detail == '' or call('HGET', sockets, socketField) == detail
  if stands and call('HDEL', sockets, socketField) == 1 and add(countField, -1) == 0 then
    if a.presence == 'offline' or tonumber(graceMs) == 0 then
      become(a, effective(a), 'lost-connection')
    else
      call('ZADD', lapses, now + tonumber(graceMs), agentId)
      nextLapse()
    end
  end
elseif a.kind == 'agent' and a.presence == 'online' and call('ZSCORE', owed, value) == detail
  and call('ZSCORE', waits, agentId .. ':' .. value) then
  put(agentId .. ':silent', '1')
  become(a, effective(a), 'auto-hang-up')
end

flush()
return { 'done', get(agentId .. ':chosen') or 'offline', a.presence, loads(), presenceChanges }
