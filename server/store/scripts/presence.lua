-- presence: what an agent chose, and which sockets hold them connected, become one effective presence.
--
-- @keys live waits overnight todo lapses sockets events
-- @ready the ready sets of the whole shop and of every group
-- @args now version agentId change value detail graceMs
-- change: 'choose' a presence, detail: its cause | 'connect' a socket, detail: the node that has it | 'disconnect' it |
-- 'lapse' whatever grace has ended
-- @include live fresh agent presence
--
-- Idempotent by what is: the same choice, or a socket already known or gone, changes nothing.
-- Result: {'stale'}; {'unknown'}; {'done', chosen, effective, loads, presence changes}

-- Refused before anything is changed: a return without flush() would lose half of a lapse.
local a = change ~= 'lapse' and agentOf(agentId)
if a and not a.kind and change ~= 'disconnect' then return { 'unknown' } end

lapse()
if change == 'lapse' then
  flush()
  return { 'done', '', '', loads(), presenceChanges }
end

local chosenField, countField = agentId .. ':chosen', agentId .. ':sockets'

local function effective(reason)
  local waitingOut = call('ZSCORE', lapses, agentId)
  local connected = (tonumber(get(countField)) or 0) > 0 or waitingOut
  become(a, connected and get(chosenField) or 'offline', reason)
end

if change == 'choose' then
  put(chosenField, value)
  effective(detail)
elseif change == 'connect' then
  if call('HSETNX', sockets, agentId .. ':' .. value, detail) == 1 then
    add(countField, 1)
    if call('ZREM', lapses, agentId) == 1 then nextLapse() end
    effective('connected')
  end
elseif change == 'disconnect' then
  if call('HDEL', sockets, agentId .. ':' .. value) == 1 and add(countField, -1) == 0 then
    if a.presence == 'offline' or tonumber(graceMs) == 0 then
      effective('lost-connection')
    else
      call('ZADD', lapses, now + tonumber(graceMs), agentId)
      nextLapse()
    end
  end
end

flush()
return { 'done', get(chosenField) or 'offline', a.presence, loads(), presenceChanges }
