-- erase: removes one conversation of a buyer with its messages, newest first; with the last one gone, the buyer. What is left
-- then are traces in logs, by which the conversations are remembered until they are gone too (scripts/traces.lua).
--
-- @keys live held waits owed queue pool overnight todo lapses hot warm idle closed places shifts events audit buyer conversation messages sent erasure
-- @ready the ready sets of the whole shop and of every group
-- @args now version buyerId conversationId fingerprint
-- conversationId: the newest that the caller saw, '' for none
-- fingerprint: what the buyer is called where it must be known that they were erased
-- then the contacts of this buyer that were found in the lines of contacts: more than the buyer's own list may name
-- @include live fresh agent presence contacts conversation audit
--
-- Idempotent by what is: run again after a crash it goes on where it was, and a buyer who is erased is left alone if they
-- come back.
-- Result: {'stale'}; {'next', conversation} call again with it; {'moved', conversation, released from, loads, presence changes};
-- {'erased'} there is nothing of them but traces

local head = call('HMGET', erasure, 'state', 'by', 'request')
if head[1] ~= 'talk' then return { 'erased' } end
local newest = call('HGET', buyer, 'conversation') or ''
if newest ~= conversationId then return { 'next', newest } end
if newest == '' then
  for agent in contactsIn(call('HGET', buyer, 'contacts') or '') do
    call('ZREM', hot, buyerId .. ':' .. agent)
    call('ZREM', warm, buyerId .. ':' .. agent)
  end
  for i = REST + 1, #ARGV do
    call('ZREM', hot, ARGV[i])
    call('ZREM', warm, ARGV[i])
  end
  call('DEL', buyer)
  -- What comes after these is of somebody new.
  local lastAudit = account(head[2], 'buyer:erased', fingerprint, '', head[3])
  local lastEvent = emit('erased', 'fingerprint', fingerprint)
  call('HSET', erasure, 'state', 'traces', 'lastAudit', lastAudit, 'lastEvent', lastEvent, 'cursor', '')
  return { 'erased' }
end

lapse()
local c = conversationOf(newest)
local from = ''
local previous = call('HGET', conversation, 'previous') or ''
if c and c.state ~= 'closed' then
  from = c.agent
  release(c)
end
call('ZREM', todo, newest)
call('ZREM', closed, newest)
call('ZREM', idle, newest)
call('HSET', erasure, 'c:' .. newest, '')
call('DEL', conversation, messages, sent)
call('HSET', buyer, 'conversation', previous, 'closed', previous)
flush()
return { 'moved', previous, from, loads(), presenceChanges }
