-- claim: one run of the dispatcher. Walks the plan's steps against live presence, pass and load, takes the first that
-- holds, and records conversation, contact, assignment, load and event, all at once.
--
-- @keys live held waits owed queue pool overnight todo lapses hot warm idle places shifts events audit buyer conversation
-- @ready the ready sets of the whole shop and of every group
-- @args now version profile buyerId conversationId request mode expected warmMs limit entry steering plan
-- @include live agent turn presence contacts conversation audit
--
-- mode: open | again | human | queue | pool | morning | missed | leave. An open expects 'new' or 'current' of its
-- conversation; every other mode names the assignment and the holder it saw, '<request>:<agent>', 'missed' also since
-- when a reply is owed, '<request>:<agent>:<since>', and is refused when any of them is another now. So is one for a line in
-- which the conversation does not stand (any more): at the head of the queue, in it, in the pool, overnight, or due to be
-- dispatched again.
-- request: the last part of the assignment's id; the same again answers the same.
-- limit: with a number, nobody is taken whose pending has reached it.
-- steering: a supervisor, or the owner, who hands over what a robot holds, as '<kind>:<id>', else ''
-- plan: the steps, each its name and what it takes; see server/plan/encode.ts
--
-- Result: {'stale'} the plan is of other settings; {'buyer', profile, conversation} of another buyer's profile or
-- conversation; {'repeat', assignment}; {'moved'} somebody else was faster; {'still'} it stays where it is;
-- {'assigned', assignment record, shown conversation, released from, loads, presence changes}

local head = call('HMGET', live, 'version', 'online', 'lapse', 'queued', 'threshold', 'hangUpAt')
cached.version, cached.online, cached.lapse, cached.queued, cached.threshold = head[1], head[2], head[3], head[4], head[5]
cached.hangUpAt = head[6]
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
  if mode ~= 'open' then
    if not c or c.state == 'closed' then return { 'moved' } end
    local seen = c.assignment .. ':' .. c.agent
    if mode == 'missed' then seen = seen .. ':' .. (call('ZSCORE', owed, c.id) or '') end
    -- Who saw it in its line may have read it only after somebody else took it from there.
    if seen ~= expected or (mode == 'leave' and c.state ~= 'queued') or (mode == 'pool' and c.state ~= 'pooled')
      or (mode == 'queue' and call('ZRANGE', queue, 0, 0)[1] ~= c.id)
      or (mode == 'morning' and not call('ZSCORE', overnight, c.id))
      or (mode == 'again' and not call('ZSCORE', todo, c.id)) then
      return { 'moved' }
    end
  end
end

lapse()

local max = tonumber(limit)
warmMs = tonumber(warmMs)
-- Who waits in the queue comes before whoever clicks now.
local queueFirst = mode ~= 'queue' and (tonumber(get('queued')) or 0) > 0 and (not c or c.state ~= 'queued' or mode ~= 'open'
  or call('ZRANGE', queue, 0, 0)[1] ~= conversationId)

-- Those who left this buyer without a reply do not get them again before somebody has replied.
local missed = mode == 'missed' and (call('HGET', conversation, 'missed') or ',') .. c.agent .. ',' or nil

local function underLimit(a) return a.pending < max end
local function awake(a) return not string.find(missed, ',' .. a.id .. ',', 1, true) end
local fits = (max and underLimit) or (missed and awake) or nil
local unfit = missed and ':missed-it:' or ':at-limit:'

local function available(a)
  if queueFirst or a.presence ~= 'online' or a.groups == '' then return false end
  if fits and not fits(a) then return false end
  return hasRoom(a) or (c ~= nil and c.agent == a.id)
end

local trace = ''
local function tried(item) trace = trace == '' and item or trace .. ';' .. item end

local outcome, agent, group, wonBy = nil, nil, '', nil
local hotMs, priority = nil, 0
local function won(step, result, a, item)
  outcome, agent, wonBy = result, a, step
  tried(item)
end

local function turnIn(step, why, g, fact)
  local a, pass, first = lowest(g, fits)
  if not a then return false end
  local pending = a.pending
  local level = serve(g, a, pass, first)
  group = g ~= '*' and g or ''
  won(step, 'agent', a, step .. ':' .. why .. ':' .. g .. ':' .. a.id .. ':' .. text(pass) .. ':' .. level .. ':' .. pending
    .. ':' .. fact)
  return true
end

local function robotHere(a) return a.kind == 'robot' and a.presence == 'online' and (hasRoom(a) or (c ~= nil and c.agent == a.id)) end

local token = string.gmatch(plan, '([^ ]*) ')

-- Tries one step, which takes what is its own from the plan. One function with a branch a step, not a table of functions:
-- each function is made anew with every run (0.2 us, and the garbage it leaves).
local function try(step)
  if step == 'note' then
    tried(token())
  elseif step == 'hot-contact' then
    hotMs = tonumber(token())
    for id, at in contactsIn(contacts) do
      local a = agentOf(id)
      if a.kind == 'agent' then
        local age = now - tonumber(at)
        local fact = ':' .. id .. ':' .. age
        if age > hotMs then return tried('hot-contact:older-than-window' .. fact) end
        if a.presence == 'offline' then return tried('hot-contact:contact-offline' .. fact) end
        if missed and not awake(a) then return tried('hot-contact:missed-it' .. fact) end
        if max and (a.presence ~= 'online' or not underLimit(a)) then return tried('hot-contact:at-limit' .. fact) end
        return won('hot-contact', 'agent', a, 'hot-contact:recent-and-present' .. fact .. ':' .. a.presence)
      end
    end
    tried('hot-contact:no-contact')
  elseif step == 'night-shift' then
    local proxy = agentOf(token())
    won('night-shift', 'proxy', proxy, 'night-shift:night:' .. proxy.id)
  elseif step == 'nobody-on-duty' then
    local to, id, online = token(), token(), tonumber(get('online')) or 0
    if online > 0 then return tried('nobody-on-duty:someone-online:' .. online) end
    won('nobody-on-duty', to, id ~= '' and agentOf(id) or nil, 'nobody-on-duty:nobody-online')
  elseif step == 'warm-contact' then
    local within, some, recent, away = tonumber(token()), false, false, nil
    for id, at in contactsIn(contacts) do
      local a = agentOf(id)
      if a.kind == 'agent' then
        some = true
        local age = now - tonumber(at)
        if age <= within then
          if available(a) then return won('warm-contact', 'agent', a, 'warm-contact:on-duty:' .. id .. ':' .. age) end
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
      local g = #own > 0 and drawGroup(own, fits)
      if g and turnIn('warm-contact', 'hung-up-colleague', g, away.id) then return end
      if turnIn('warm-contact', 'hung-up-shop', '*', away.id) then return end
    end
    tried('warm-contact:' .. (recent or (some and 'older-than-window' or 'no-contact')))
  elseif step == 'exclusive-agent' then
    local a = agentOf(token())
    if a.kind == 'agent' and available(a) then
      return won('exclusive-agent', 'agent', a, 'exclusive-agent:on-duty:' .. a.id)
    end
    tried('exclusive-agent:not-on-duty:' .. a.id)
  elseif step == 'shop-robot' then
    local a = agentOf(token())
    if robotHere(a) then return won('shop-robot', 'robot', a, 'shop-robot:robot-first:' .. a.id) end
    tried('shop-robot:robot-away:' .. a.id)
  elseif step == 'group' or step == 'widened' then
    -- The groups left at one level of narrowing: what narrowed, how many, then each group and its robot or ''.
    local by, n = token(), tonumber(token())
    local names, robots, staffed = {}, {}, nil
    for k = 1, n do
      local g, robot = token(), token()
      names[k] = g
      if robot ~= '' then
        local a = agentOf(robot)
        robots[g] = a
        if robotHere(a) then
          staffed = staffed or {}
          staffed[#staffed + 1] = g
        end
      end
    end
    local g, anybody = drawGroup(names, fits)
    if not g and staffed then g = staffed[add('@draw:robots', 1) % #staffed + 1] end
    local robot = g and robots[g]
    if robot then
      if robotHere(robot) then
        group = g
        return won('group-robot', 'robot', robot, 'group-robot:group-robot-on:' .. g .. ':' .. robot.id .. ':' .. by)
      end
      tried('group-robot:robot-away:' .. robot.id .. ':' .. g)
    end
    if not g then
      tried(step .. (anybody and unfit or ':nobody-on-duty:') .. by)
    elseif queueFirst then
      tried(step .. ':others-wait-first:' .. by)
    elseif not turnIn(step, 'next-in-turn', g, by) then
      anybody = (tonumber(get('@' .. g .. ':levels')) or 0) > 0
      tried(step .. (anybody and unfit or ':nobody-on-duty:') .. by)
    end
  elseif step == 'full' then
    local to, id, why = token(), token(), token()
    priority = to == 'queue' and tonumber(id) or 0
    if why == '' then why = queueFirst and 'others-wait-first' or 'everyone-full' end
    won('full', to, to ~= 'queue' and id ~= '' and agentOf(id) or nil, 'full:' .. why)
  else
    error('no such step: ' .. tostring(step))
  end
end

while not outcome do try(token()) end

-- A sweep that finds no better place leaves everything as it is.
if (mode == 'queue' and outcome == 'queue') or (mode == 'pool' and (outcome == 'pool' or wonBy == 'full'))
  or ((mode == 'morning' or mode == 'missed') and outcome ~= 'agent')
  -- A robot that would get back whom it hands over, such as one that is the night proxy: it was told already.
  or (mode == 'human' and agent and agent.id == c.agent and outcome == c.via) then
  flush()
  return { 'still', presenceChanges }
end

local from = c and c.agent or ''
local to = agent and agent.id or ''
local fresh = c == nil
if fresh then
  c = { id = conversationId, buyer = buyerId, state = '', agent = '', overnight = '', waitingSince = '',
    lastSeq = '0', openedAt = stamp, lastAt = stamp, closedAt = '' }
else
  call('ZREM', todo, c.id)
end

local place = c.state == 'queued' and tonumber(call('ZSCORE', queue, c.id)) % CLASS or nil
local state = (agent and agent.kind == 'robot' and 'robot') or (agent and 'assigned') or (outcome == 'queue' and 'queued') or 'pooled'
local moved = fresh or from ~= to or (to == '' and c.state ~= state)
if moved then
  if not fresh then release(c) end
  if state ~= 'robot' then leaveRobot(c) end
  if agent then
    take(c, agent, outcome)
  else
    call('ZADD', held, '0', ':' .. c.id)
    -- Who has waited in the queue keeps that place among the messages left.
    if state == 'queued' then
      if (tonumber(get('queued')) or 0) == 0 then put('served', '') end -- how fast an earlier queue went tells nothing
      call('ZADD', queue, placeInQueue(ticket(), priority), c.id)
      add('queued', 1)
    else
      call('ZADD', pool, text(place or ticket()), c.id)
    end
  end
elseif state == 'queued' and mode == 'open' then
  call('ZADD', queue, placeInQueue(place, priority), c.id) -- they may be of another crowd now
end
-- When the queue moved on, for an estimate of what is left of the wait: the last twenty times, of 13 digits each.
if place and agent and mode ~= 'leave' then put('served', string.sub((get('served') or '') .. ',' .. stamp, -280)) end
if from == to and (c.via == 'proxy') ~= (outcome == 'proxy') then
  -- Who was the proxy keeps it by day, or becomes the proxy with it at night.
  if outcome ~= 'proxy' then call('ZREM', overnight, c.id) end
  if c.waitingSince ~= '' and to ~= '' then
    if outcome == 'proxy' then call('ZREM', owed, c.id) else owe(c) end
  end
end
if wonBy == 'night-shift' then
  if c.overnight == '' then c.overnight = stamp end
  call('ZADD', overnight, 'NX', text(ticket()), c.id)
  call('HSET', conversation, 'proxy', to)
elseif mode == 'open' then
  c.overnight = ''
end
c.state, c.group, c.assignment = state, group, request

if agent and agent.kind == 'agent' then contacts = remember(contacts, buyerId, agent.id, hotMs or 0, warmMs) end
if mode == 'open' then
  call('HSET', buyer, 'conversation', c.id, 'contacts', contacts, 'request', c.id .. '.' .. request)
else
  call('HSET', buyer, 'contacts', contacts)
end

local record = stamp .. '|' .. outcome .. '|' .. to .. '|' .. group .. '|' .. wonBy .. '|' .. trace
if fresh then
  call('HSET', conversation, 'buyer', buyerId, 'openedAt', stamp, 'state', state, 'agent', to, 'group', group, 'via', outcome,
    'entry', entry, 'assignment', request, 'a:' .. request, record)
  if b[2] then call('HSET', conversation, 'previous', b[2]) end
  if c.overnight ~= '' then call('HSET', conversation, 'overnight', c.overnight) end
  call('ZADD', idle, stamp, c.id)
else
  call('HSET', conversation, 'state', state, 'agent', to, 'group', group, 'via', outcome, 'overnight', c.overnight,
    'assignment', request, 'a:' .. request, record)
  if mode == 'open' then call('HSET', conversation, 'entry', entry) end
  if mode == 'open' or moved then call('HSET', conversation, 'lastAt', quietFrom(c)) end
  if missed then call('HSET', conversation, 'missed', missed) end
end
if steering ~= '' then
  account(steering, 'conversation:handed-over', c.id, { 'agent', from, to }, '')
end
if fresh then
  emit('assigned', 'conversation', c.id, 'buyer', c.buyer, 'assignment', request, 'outcome', outcome, 'agent', to)
else
  emit('assigned', 'conversation', c.id, 'buyer', c.buyer, 'assignment', request, 'outcome', outcome, 'agent', to, 'from', from,
    'mode', mode)
end
flush()
return { 'assigned', record, shown(c), from, loads(), presenceChanges }
