-- configure: writes a change of the shop's configuration and brings every ready set in line with it, if nothing else
-- has changed it since it was read.
--
-- @keys live config secrets held waits overnight todo lapses shifts events audit
-- @ready the ready sets of the whole shop and of every group, before and after the change
-- @args now request expected by action target changes threshold hangUpAt fieldCount
-- request: the same again is answered as before, also when something else has been changed since
-- by, action, target, changes: for the audit log; no entry where `action` is ''
-- threshold: of busyness; '' leaves it
-- hangUpAt: so many conversations hang an agent up, 'none' for no limit; all agents are given then; '' leaves it
-- then fieldCount triples: 'config' or 'secrets', field, value ('' deletes)
-- then the roster entries that changed: agent, kind ('' when the agent is gone), capacity or '', groups
-- @include live agent presence audit
--
-- Idempotent by the request, among the latest that fit in a thousand characters.
-- Result: {'stale'}; {'done', version, loads, presence changes}

local _, mark = string.find(get('changes') or '', ',' .. request .. '=', 1, true)
if mark then return { 'done', string.match(get('changes'), '^%d+', mark + 1), '', {} } end
if (get('version') or '0') ~= expected then return { 'stale' } end
lapse()

local i = REST
for _ = 1, tonumber(fieldCount) do
  local hash, field, value = ARGV[i + 1] == 'config' and config or secrets, ARGV[i + 2], ARGV[i + 3]
  if value == '' then call('HDEL', hash, field) else call('HSET', hash, field, value) end
  i = i + 3
end

-- Another threshold makes some more busy, or less: what is left of their strides is rescaled.
if threshold ~= '' and threshold ~= get('threshold') then
  local onDutyNow, before = call('ZRANGE', readyOf('*'), 0, -1), {}
  for k, id in ipairs(onDutyNow) do before[k] = busyness(agentOf(id)) end
  put('threshold', threshold)
  for k, id in ipairs(onDutyNow) do settle(agentOf(id), true, before[k]) end
end

local function mapOf(groups)
  local map = {}
  for group, level, rated in memberships(groups) do map[group] = { level = tonumber(level), rated = rated == '%' } end
  return map
end

-- A group that stays keeps its place, rescaled to the new level; a new one is joined like coming on duty.
local function reposition(a, before, after)
  for group, old in pairs(before) do
    local new = after[group]
    if not new then
      leaveGroup(a, group, old.level, busyness(a))
    elseif new.level ~= old.level or new.rated ~= old.rated then
      rescale(a, group, strideOf(a, new.level, new.rated) / strideOf(a, old.level, old.rated))
      add('@' .. group .. ':levels', new.level - old.level)
    end
  end
  for group, new in pairs(after) do
    if not before[group] then joinGroup(a, group, new.level, new.rated) end
  end
end

-- Whether a rule hangs them up, now that the rules are others for them.
local function lookAnew(a)
  if a.presence == 'offline' then return end
  local presence = effective(a)
  become(a, presence, presence == 'online' and 'auto-resume' or 'auto-hang-up')
end

local given = {}
while i < #ARGV do
  local id, kind, capacity, groups = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  given[#given + 1] = id
  i = i + 4
  local a = agentOf(id)
  if kind == '' then
    become(a, 'offline', 'supervisor')
    put(id .. ':chosen', 'offline')
    for _, member in ipairs(call('ZRANGEBYLEX', held, '[' .. id .. ':', '(' .. id .. ';')) do
      call('ZADD', todo, 'NX', now, string.sub(member, #id + 2))
    end
  end
  local was, old = onDuty(a), a.groups
  if a.presence == 'online' and (old ~= '') ~= (groups ~= '') then add('online', groups ~= '' and 1 or -1) end
  if was then
    a.groups, a.capacity = groups, tonumber(capacity) or math.huge
    local is = onDuty(a)
    reposition(a, mapOf(old), is and mapOf(groups) or {})
  else
    a.groups, a.capacity = groups, tonumber(capacity) or math.huge
    settle(a, false, 1)
  end
  local wasProxy = a.kind == 'proxy'
  a.kind = kind
  if kind ~= '' and (kind == 'proxy') ~= wasProxy then lookAnew(a) end -- no rule hangs a proxy up
  put(id .. ':kind', kind ~= '' and kind or 'gone')
  put(id .. ':capacity', capacity)
  put(id .. ':groups', groups)
end

-- Redis keeps a hash of up to 128 short fields as a list, and searches it from its start for each one that is asked
-- for. A single long value makes it a table at once; measured with ten agents, reading six fields takes less than half.
if expected == '0' then put('wide', string.rep('-', 65)) end

-- Who was hung up without having chosen it is looked at anew.
if hangUpAt ~= '' then
  put('hangUpAt', tonumber(hangUpAt) and hangUpAt or '')
  for _, id in ipairs(given) do
    if get(id .. ':silent') == '1' then put(id .. ':silent', '') end
    lookAnew(agentOf(id))
  end
end

local version = tonumber(expected) + 1
put('version', version)
put('changes', string.sub((get('changes') or '') .. ',' .. request .. '=' .. version, -1000))
if action ~= '' then account(by, action, target, changes, '') end
emit('configured', 'version', version)
flush()
return { 'done', version, loads(), presenceChanges }
