-- Effective presence: what the agent chose, or offline unless connected. A lost connection counts after the grace.
local presenceChanges = {}

-- Makes a presence effective. When an agent goes offline, conversations that wait for a reply are due to be
-- dispatched again; what came in overnight stays for the morning (a proxy receives whatever its presence).
local function become(a, presence, cause)
  if a.presence == presence then return end
  local was, wasBusyness = onDuty(a), busyness(a)
  if a.groups ~= '' then
    if a.presence == 'online' then add('online', -1) end
    if presence == 'online' then add('online', 1) end
  end
  a.presence = presence
  put(a.id .. ':presence', presence)
  settle(a, was, wasBusyness)
  if presence == 'offline' then
    for _, member in ipairs(call('ZRANGEBYLEX', waits, '[' .. a.id .. ':', '(' .. a.id .. ';')) do
      local id = string.sub(member, #a.id + 2)
      if not call('ZSCORE', overnight, id) then call('ZADD', todo, 'NX', now, id) end
    end
  end
  for _, item in ipairs({ a.id, presence, cause }) do presenceChanges[#presenceChanges + 1] = item end
  emit('presence', 'agent', a.id, 'presence', presence, 'cause', cause)
end

local function nextLapse()
  local first = call('ZRANGE', lapses, 0, 0, 'WITHSCORES')
  put('lapse', first[2] or '')
end

-- Agents whose grace has ended are offline from that moment on, whether or not a job has come by to say so.
local function lapse()
  local due = tonumber(get('lapse'))
  if not due or now < due then return end
  for _, id in ipairs(call('ZRANGEBYSCORE', lapses, '-inf', now)) do
    call('ZREM', lapses, id)
    become(agentOf(id), 'offline', 'lost-connection')
  end
  nextLapse()
end
