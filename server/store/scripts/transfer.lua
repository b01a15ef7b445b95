-- transfer: a conversation goes to a colleague, or to whoever's turn it is in a group. It comes on top of a share when
-- it names the colleague, and may exceed their capacity: a person decided so.
--
-- @keys live held waits owed queue pool overnight todo lapses hot warm places shifts events audit conversation buyer
-- @ready the ready sets of the whole shop and of every group
-- @args now version conversationId by steering toKind to hotMs warmMs request
-- by: the agent who must hold it, or '' for a supervisor, who need not
-- steering: the supervisor, or owner, as '<kind>:<id>', else ''; in the audit log unless they held it
-- request: the same again is answered as before
-- @include live fresh agent turn presence contacts conversation audit
--
-- Result: {'stale'}; {'missing'}; {'closed'}; {'not-holder'}; {'repeat', shown};
-- {'away' | 'nobody-on-duty', presence changes};
-- {'moved', shown conversation, released from, loads, presence changes}

local c = conversationOf(conversationId)
if not c then return { 'missing' } end
if call('HEXISTS', conversation, 'r:' .. request) == 1 then return { 'repeat', shown(c) } end
if c.state == 'closed' then return { 'closed' } end
if by ~= '' and c.agent ~= by then return { 'not-holder' } end
-- Before any grace is made to count: a return without flush() would lose half of a lapse.
if toKind == 'agent' and to == c.agent then return { 'repeat', shown(c) } end

lapse()

local a, group = nil, ''
if toKind == 'agent' then
  a = agentOf(to)
  if not a.kind or a.presence == 'offline' or (a.kind == 'robot' and (a.presence ~= 'online' or not hasRoom(a))) then
    flush()
    return { 'away', presenceChanges }
  end
else
  local function another(candidate) return candidate.id ~= c.agent end
  local pass, first
  a, pass, first = lowest(to, another)
  if not a then
    flush()
    return { 'nobody-on-duty', presenceChanges }
  end
  serve(to, a, pass, first)
  group = to
end

local from = c.agent
release(c)
if a.kind ~= 'robot' then leaveRobot(c) end
take(c, a, a.kind == 'robot' and 'robot' or 'agent')
call('ZREM', todo, c.id)
c.state, c.group = a.kind == 'robot' and 'robot' or 'assigned', group
call('HSET', conversation, 'state', c.state, 'agent', a.id, 'group', group, 'via', c.via, 'lastAt', quietFrom(c))
call('HSET', conversation, 'r:' .. request, '1')
if a.kind == 'agent' then
  call('HSET', buyer, 'contacts', remember(call('HGET', buyer, 'contacts') or '', c.buyer, a.id, tonumber(hotMs),
    tonumber(warmMs)))
end
if steering ~= '' and string.match(steering, ':(.*)$') ~= from then
  account(steering, 'conversation:transferred', c.id, { 'agent', from, a.id }, '')
end
emit('transferred', 'conversation', c.id, 'agent', a.id, 'from', from, 'group', group)
flush()
return { 'moved', shown(c), from, loads(), presenceChanges }
