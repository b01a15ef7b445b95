-- take: an agent takes a conversation out of the pool by hand; only one can.
--
-- @keys live held waits owed queue pool overnight todo lapses hot warm places shifts events audit conversation buyer
-- @ready the ready sets of the whole shop and of every group
-- @args now version conversationId agentId steering hotMs warmMs
-- steering: a supervisor, or the owner, as '<kind>:<id>', else ''
-- @include live fresh agent presence contacts conversation audit
--
-- Idempotent by state: who holds it already is answered as if it had just been taken.
-- Result: {'stale'}; {'missing'}; {'taken'} it is not in the pool any more; {'away', presence changes};
-- {'repeat', shown};
-- {'moved', shown conversation, '', loads, presence changes}

local c = conversationOf(conversationId)
if not c then return { 'missing' } end
if c.agent == agentId and c.state ~= 'closed' then return { 'repeat', shown(c) } end
if c.state ~= 'pooled' then return { 'taken' } end

lapse()
local a = agentOf(agentId)
if not a.kind or a.presence == 'offline' then
  flush()
  return { 'away', presenceChanges }
end

release(c)
take(c, a, a.kind == 'robot' and 'robot' or 'agent')
call('ZREM', todo, c.id)
c.state, c.group = a.kind == 'robot' and 'robot' or 'assigned', ''
call('HSET', conversation, 'state', c.state, 'agent', a.id, 'group', '', 'via', c.via, 'lastAt', quietFrom(c))
if a.kind == 'agent' then
  call('HSET', buyer, 'contacts', remember(call('HGET', buyer, 'contacts') or '', c.buyer, a.id, tonumber(hotMs),
    tonumber(warmMs)))
end
if steering ~= '' then
  account(steering, 'conversation:claimed', c.id, { 'agent', '', a.id }, '')
end
emit('transferred', 'conversation', c.id, 'agent', a.id, 'from', '', 'group', '')
flush()
return { 'moved', shown(c), '', loads(), presenceChanges }
