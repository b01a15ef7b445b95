-- claim: one run of the dispatcher. Walks the plan's steps against live presence, pass and load, takes the first that
-- holds, and records conversation, contact, assignment, load and event, all at once.
--
-- @keys live held waits queue pool overnight todo lapses events buyer conversation
-- @ready the ready sets of the whole shop and of every group
-- @args now version profile buyerId conversationId request mode expected warmMs limit entry
-- then the steps, each its name and what it takes; see server/plan/encode.ts
-- @include live agent turn presence contacts conversation
--
-- mode: open | again | human | queue | pool | morning. An open expects 'new' or 'current' of its conversation; every
-- other mode names the assignment it saw, and is refused when another has come since.
-- request: the last part of the assignment's id; the same again answers the same.
-- limit: with a number, nobody is taken whose pending has reached it.
--
-- Result: {'stale'} the plan is of other settings; {'buyer', profile, conversation} of another buyer's profile or
-- conversation; {'repeat', assignment}; {'moved'} somebody else was faster; {'still'} it stays where it is;
-- {'assigned', assignment record, shown conversation, released from, loads, presence changes}

local head = call('HMGET', live, 'version', 'online', 'lapse', 'queued', 'threshold')
cached.version, cached.online, cached.lapse, cached.queued, cached.threshold = head[1], head[2], head[3], head[4], head[5]
if head[1] ~= version then return { 'stale' } end

local b = call('HMGET', buyer, 'profile', 'conversation', 'closed', 'contacts', 'request')
local current = b[2] and b[2] ~= b[3] and b[2] or ''
local contacts = b[4] or ''

if mode == 'open' and b[5] and string.sub(b[5], -#request) == request then return { 'repeat', b[5] } end
if (b[1] or '0') ~= profile then return { 'buyer', b[1] or '0', current } end

local c
if mode == 'open' then
  if (expected == 'new') ~= (current == '') or (current ~= '' and current ~= conversationId) then
    return { 'buyer', profile, current }
  end
end
if expected ~= 'new' then
  c = conversationOf(conversationId)
  if call('HEXISTS', conversation, 'a:' .. request) == 1 then return { 'repeat', conversationId .. '.' .. request } end
  if mode ~= 'open' and (not c or c.state == 'closed' or c.assignment ~= expected) then return { 'moved' } end
  if mode == 'queue' and call('ZRANGE', queue, 0, 0)[1] ~= conversationId then return { 'moved' } end
end

lapse()

local max = tonumber(limit)
warmMs = tonumber(warmMs)
-- Who waits in the queue comes before whoever clicks now.
local queueFirst = mode ~= 'queue' and (tonumber(get('queued')) or 0) > 0 and (not c or c.state ~= 'queued' or mode ~= 'open'
  or call('ZRANGE', queue, 0, 0)[1] ~= conversationId)

local function underLimit(a) return a.pending < max end
local fits = max and underLimit or nil

local function available(a)
  if queueFirst or a.presence ~= 'online' or a.groups == '' then return false end
  if max and not underLimit(a) then return false end
  return hasRoom(a) or (c ~= nil and c.agent == a.id)
end

local trace, steps = '', 0
local function tried(step, why, ...)
  trace = trace .. (steps > 0 and ';' or '') .. table.concat({ step, why, ... }, ':')
  steps = steps + 1
end

local outcome, agent, group, wonBy = nil, nil, '', nil
local function won(step, result, a, why, ...)
  outcome, agent, wonBy = result, a, step
  tried(step, why, ...)
end

local function turnIn(step, why, g, ...)
  local a, pass, first = lowest(g, fits)
  if not a then return false end
  local pending = a.pending
  local level = serve(g, a, pass, first)
  group = g ~= '*' and g or ''
  won(step, 'agent', a, why, g, a.id, pass, level, pending, ...)
  return true
end

local walk = {}

walk['note'] = function(i)
  if ARGV[i] ~= '' then
    trace = trace .. (steps > 0 and ';' or '') .. ARGV[i]
    steps = steps + 1
  end
  return 1
end

walk['hot-contact'] = function(i)
  local within = tonumber(ARGV[i])
  for id, at in contactsIn(contacts) do
    local a = agentOf(id)
    if a.kind == 'agent' then
      local age = now - tonumber(at)
      if age > within then
        tried('hot-contact', 'older-than-window', id, age)
      elseif a.presence == 'offline' then
        tried('hot-contact', 'contact-offline', id, age)
      elseif max and (a.presence ~= 'online' or not underLimit(a)) then
        tried('hot-contact', 'at-limit', id, age)
      else
        won('hot-contact', 'agent', a, 'recent-and-present', id, age, a.presence)
      end
      return 1
    end
  end
  tried('hot-contact', 'no-contact')
  return 1
end

walk['night-shift'] = function(i)
  won('night-shift', 'proxy', agentOf(ARGV[i]), 'night', ARGV[i])
  return 1
end

local function leave(step, i, why)
  won(step, ARGV[i], ARGV[i + 1] ~= '' and agentOf(ARGV[i + 1]) or nil, why)
end

walk['nobody-on-duty'] = function(i)
  local online = tonumber(get('online')) or 0
  if online == 0 then leave('nobody-on-duty', i, 'nobody-online') else tried('nobody-on-duty', 'someone-online', online) end
  return 2
end

walk['warm-contact'] = function(i)
  local within, some, recent, away = tonumber(ARGV[i]), false, false, nil
  for id, at in contactsIn(contacts) do
    local a = agentOf(id)
    if a.kind == 'agent' then
      some = true
      if now - tonumber(at) <= within then
        if available(a) then
          won('warm-contact', 'agent', a, 'on-duty', id, now - tonumber(at))
          return 1
        end
        if a.presence ~= 'offline' then recent = 'nobody-on-duty' end
        recent = recent or 'all-offline'
        if a.presence == 'hung-up' then away = away or a end
      end
    end
  end
  if away and not queueFirst then
    local own = {}
    for g in memberships(away.groups) do
      if g ~= '*' then own[#own + 1] = g end
    end
    local g = #own > 0 and drawGroup(own)
    if g and turnIn('warm-contact', 'hung-up-colleague', g, away.id) then return 1 end
    if turnIn('warm-contact', 'hung-up-shop', '*', away.id) then return 1 end
  end
  tried('warm-contact', recent or (some and 'older-than-window' or 'no-contact'))
  return 1
end

walk['exclusive-agent'] = function(i)
  local a = agentOf(ARGV[i])
  if a.kind == 'agent' and available(a) then
    won('exclusive-agent', 'agent', a, 'on-duty', a.id)
  else
    tried('exclusive-agent', 'not-on-duty', a.id)
  end
  return 1
end

local function robotHere(a) return a.kind == 'robot' and a.presence == 'online' and (hasRoom(a) or (c ~= nil and c.agent == a.id)) end

walk['shop-robot'] = function(i)
  local a = agentOf(ARGV[i])
  if robotHere(a) then won('shop-robot', 'robot', a, 'robot-first', a.id) else tried('shop-robot', 'robot-away', a.id) end
  return 1
end

-- The groups left at one level of narrowing: (step, what narrowed, count, then group and its robot or '').
local function groups(step, i)
  local by, n = ARGV[i], tonumber(ARGV[i + 1])
  local names, robots, staffed = {}, {}, {}
  for k = 1, n do
    local g, robot = ARGV[i + 2 * k], ARGV[i + 2 * k + 1]
    names[k], robots[g] = g, robot
    if robot ~= '' and robotHere(agentOf(robot)) then staffed[#staffed + 1] = g end
  end
  local g = drawGroup(names)
  if not g and #staffed > 0 then g = staffed[add('@draw:robots', 1) % #staffed + 1] end
  if g and robots[g] ~= '' then
    local a = agentOf(robots[g])
    if robotHere(a) then
      group = g
      won('group-robot', 'robot', a, 'group-robot-on', g, a.id, by)
      return 2 + 2 * n
    end
    tried('group-robot', 'robot-away', a.id, g)
  end
  if not g then
    tried(step, 'nobody-on-duty', by)
  elseif queueFirst then
    tried(step, 'others-wait-first', by)
  elseif not turnIn(step, 'next-in-turn', g, by) then
    tried(step, fits and 'at-limit' or 'nobody-on-duty', by)
  end
  return 2 + 2 * n
end
walk['group'] = function(i) return groups('group', i) end
walk['widened'] = function(i) return groups('widened', i) end

walk['full'] = function(i)
  leave('full', i, queueFirst and 'others-wait-first' or 'everyone-full')
  return 2
end

local i = REST + 1
while not outcome do
  i = i + 1 + walk[ARGV[i]](i + 1)
end

-- A sweep that finds no better place leaves everything as it is.
if (mode == 'queue' and outcome == 'queue') or (mode == 'pool' and (outcome == 'pool' or outcome == 'queue'))
  or (mode == 'morning' and outcome ~= 'agent') then
  flush()
  return { 'still', presenceChanges }
end

local from = c and c.agent or ''
local to = agent and agent.id or ''
local fresh = c == nil
if fresh then
  c = { id = conversationId, buyer = buyerId, state = '', agent = '', overnight = '', waitingSince = '', lastSeq = '0', openedAt = now, closedAt = '' }
else
  call('ZREM', todo, c.id)
end

local state = (agent and agent.kind == 'robot' and 'robot') or (agent and 'assigned') or (outcome == 'queue' and 'queued') or 'pooled'
if fresh or from ~= to or (to == '' and c.state ~= state) then
  if not fresh then release(c) end
  if agent then
    take(c, agent)
  else
    call('ZADD', held, 0, ':' .. c.id)
    call('ZADD', state == 'queued' and queue or pool, add('tickets', 1), c.id)
    if state == 'queued' then add('queued', 1) end
  end
end
if wonBy == 'night-shift' then
  c.overnight = '1'
  call('ZADD', overnight, 'NX', add('tickets', 1), c.id)
elseif mode == 'open' then
  c.overnight = ''
end
c.state, c.group = state, group

if agent and agent.kind == 'agent' then contacts = remember(contacts, agent.id, warmMs) end
if mode == 'open' then
  call('HSET', buyer, 'conversation', c.id, 'contacts', contacts, 'request', c.id .. '.' .. request)
else
  call('HSET', buyer, 'contacts', contacts)
end

local record = table.concat({ now, outcome, to, group, wonBy, trace }, '|')
call('HSET', conversation, 'state', state, 'agent', to, 'group', group, 'via', outcome, 'assignment', request,
  'overnight', c.overnight, 'a:' .. request, record, unpack(fresh and { 'buyer', buyerId, 'openedAt', now,
  'entry', entry, 'previous', b[2] or '' } or (mode == 'open' and { 'entry', entry } or {})))
emit('assigned', 'conversation', c.id, 'buyer', c.buyer, 'assignment', request, 'outcome', outcome, 'agent', to, 'from', from,
  'mode', mode)
flush()
return { 'assigned', record, shown(c), from, loads(), presenceChanges }
