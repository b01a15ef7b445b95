-- close: a conversation ends. Its place comes free; the recent contact stays.
--
-- @keys live held waits owed queue pool overnight todo lapses idle closed places shifts events audit conversation buyer
-- @ready the ready sets of the whole shop and of every group
-- @args now version conversationId byKind byId steering idleMs
-- byKind: buyer | agent | supervisor | time: only if nobody waits, for a reply or in the queue, and nothing was said for
-- idleMs
-- steering: the supervisor, or owner, as '<kind>:<id>', else ''; in the audit log unless they held it
-- @include live fresh agent presence conversation audit
--
-- Idempotent by state: a closed conversation answers as it is.
-- Result: {'stale'}; {'missing'}; {'not-holder'}; {'still'} it is not idle; {'repeat', shown};
-- {'moved', shown conversation, released from, loads, presence changes}

local c = conversationOf(conversationId)
if not c or (byKind == 'buyer' and c.buyer ~= byId) then
  if not c then call('ZREM', idle, conversationId) end
  return { 'missing' }
end
if byKind == 'agent' and c.agent ~= byId then return { 'not-holder' } end
if c.state == 'closed' then
  call('ZREM', idle, c.id)
  return { 'repeat', shown(c) }
end
if byKind == 'time' then
  local waits = c.waitingSince ~= '' or c.state == 'queued'
  if waits or now - tonumber(c.lastAt) < tonumber(idleMs) then
    -- Who waits is looked at again when they may be idle at the earliest.
    if waits then
      c.lastAt = quietFrom(c)
      call('HSET', conversation, 'lastAt', c.lastAt)
    end
    call('ZADD', idle, c.lastAt, c.id)
    return { 'still' }
  end
end

lapse()
local from = c.agent
release(c)
call('ZREM', todo, c.id)
call('ZREM', idle, c.id)
c.agent, c.state, c.waitingSince, c.closedAt = from, 'closed', '', quietFrom(c)
call('ZADD', closed, c.closedAt, c.id)
call('HSET', conversation, 'state', 'closed', 'closedAt', c.closedAt)
call('HDEL', conversation, 'waitingSince')
call('HSET', buyer, 'closed', c.id)
if steering ~= '' and from ~= byId then
  account(steering, 'conversation:closed', c.id, { 'agent', from, '' }, '')
end
emit('closed', 'conversation', c.id, 'agent', from, 'by', byKind)
flush()
return { 'moved', shown(c), from, loads(), presenceChanges }
