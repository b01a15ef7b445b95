-- erase: removes one conversation of a buyer with its messages, newest first; with the last one gone, the buyer.
-- Run again after a crash it goes on where it was.
--
-- @keys live held waits owed queue pool overnight todo lapses hot warm idle closed places shifts events buyer conversation messages sent
-- @ready the ready sets of the whole shop and of every group
-- @args now version buyerId conversationId
-- conversationId: the newest that the caller saw, '' for none
-- @include live fresh agent presence contacts conversation
--
-- Result: {'stale'}; {'next', conversation} call again with it; {'moved', conversation, released from, loads, presence changes};
-- {'erased'}

local newest = call('HGET', buyer, 'conversation') or ''
if newest ~= conversationId then return { 'next', newest } end
if newest == '' then
  for agent in contactsIn(call('HGET', buyer, 'contacts') or '') do
    call('ZREM', hot, buyerId .. ':' .. agent)
    call('ZREM', warm, buyerId .. ':' .. agent)
  end
  call('DEL', buyer)
  emit('erased', 'buyer', buyerId)
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
call('DEL', conversation, messages, sent)
call('HSET', buyer, 'conversation', previous, 'closed', previous)
flush()
return { 'moved', previous, from, loads(), presenceChanges }
