-- Effective presence: what the agent chose, or offline unless connected; who chose online is hung up while they have too
-- many conversations, or have left somebody too long without a reply. A lost connection counts after the grace.
local presenceChanges = {}

local SHIFTS_KEPT_MS = 400 * 24 * 3600000 -- a year, and time to look at it

-- Every change with its cause, so that a shift can be audited. Read by prefix: all of one agent's, in their order. Their
-- times never go back, though a node that was slow comes with an earlier one: the last entry says how the agent is.
local function record(a, presence, cause, at, by)
  local before = call('ZREVRANGEBYLEX', shifts, '(' .. a.id .. ';', '[' .. a.id .. ':', 'LIMIT', '0', '1')[1]
  at = math.max(at, before and tonumber(string.match(before, ':(%d+):')) or 0)
  local entry = a.id .. ':' .. string.format('%013d:%010d:', at, add('shifts', 1)) .. presence .. ':' .. cause .. ':' .. by
  call('ZADD', shifts, '0', entry)
  local kept = string.format('%013d', math.max(0, at - SHIFTS_KEPT_MS))
  call('ZREMRANGEBYLEX', shifts, '[' .. a.id .. ':', '(' .. a.id .. ':' .. kept)
end

-- Makes a presence effective. When an agent goes offline, conversations that wait for a reply are due to be
-- dispatched again; what came in overnight stays for the morning (a proxy receives whatever its presence).
-- at: when it came about, where that is not now; by: the supervisor who decided it.
local function become(a, presence, cause, at, by)
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
  record(a, presence, cause, at or now, by or '')
  emit('presence', 'agent', a.id, 'presence', presence, 'cause', cause)
end

local function tooMany(a)
  local most = tonumber(get('hangUpAt'))
  return most and a.active >= most
end

-- What holds of a choice: who chose online may be hung up all the same.
local function effective(a)
  local connected = (tonumber(get(a.id .. ':sockets')) or 0) > 0 or call('ZSCORE', lapses, a.id)
  local chosen = connected and get(a.id .. ':chosen') or 'offline'
  if chosen == 'online' and a.kind == 'agent' and (tooMany(a) or get(a.id .. ':silent') == '1') then return 'hung-up' end
  return chosen
end

-- Hangs up who has too many conversations, and lets them resume when they have fewer; who was hung up for not replying also
-- when nobody waits for them any more.
function followLoad(a, active)
  local relieved = active < 0 and a.pending == 0 and get(a.id .. ':silent') == '1'
  if relieved then put(a.id .. ':silent', '') end
  if a.kind ~= 'agent' then return end
  if a.presence == 'online' then
    if tooMany(a) then become(a, 'hung-up', 'auto-hang-up') end
  elseif a.presence == 'hung-up' and (relieved or tonumber(get('hangUpAt'))) and effective(a) == 'online' then
    become(a, 'online', 'auto-resume')
  end
end

local function nextLapse()
  local first = call('ZRANGE', lapses, 0, 0, 'WITHSCORES')
  put('lapse', first[2] or '')
end

-- Agents whose grace has ended are offline from that moment on, whether or not a job has come by to say so.
local function lapse()
  local due = tonumber(get('lapse'))
  if not due or now < due then return end
  local ended = call('ZRANGEBYSCORE', lapses, '-inf', now, 'WITHSCORES')
  for i = 1, #ended, 2 do
    call('ZREM', lapses, ended[i])
    become(agentOf(ended[i]), 'offline', 'lost-connection', tonumber(ended[i + 1]))
  end
  nextLapse()
end
