-- message: stores one message of a conversation, counts who waits, and refreshes the recent contact.
--
-- @keys live waits owed overnight todo lapses hot warm shifts events conversation buyer messages sent
-- @ready the ready sets of the whole shop and of every group
-- @args now version conversationId fromKind fromId clientId body hotMs warmMs
-- body: the message as JSON without its closing brace; its seq is added here
-- @include live fresh agent presence contacts conversation
--
-- Result: {'stale'}; {'missing'}; {'closed'}; {'not-holder', holder}; {'repeat', message};
-- {'stored', message, shown conversation, '1' if the holder is away and it is due to be dispatched again, loads,
--  presence changes}

local c = conversationOf(conversationId)
if not c or (fromKind == 'buyer' and c.buyer ~= fromId) then return { 'missing' } end

local field = fromKind .. ':' .. fromId .. ':' .. clientId
local earlier = call('HGET', sent, field)
if earlier then return { 'repeat', call('LINDEX', messages, tonumber(earlier) - 1) } end

if c.state == 'closed' then return { 'closed' } end
if fromKind ~= 'buyer' and c.agent ~= fromId then return { 'not-holder', c.agent } end

lapse()

local seq = tonumber(c.lastSeq) + 1
local message = body .. ',"seq":' .. seq .. '}'
call('RPUSH', messages, message)
call('HSET', sent, field, seq)
call('HSET', conversation, 'lastSeq', seq, 'lastAt', quietFrom(c))
c.lastSeq = seq

local holder = c.agent ~= '' and agentOf(c.agent) or nil
-- A program that stands in as the proxy answers something, but the buyer goes on waiting for a person.
local standIn = fromKind == 'robot' and c.via == 'proxy'
if fromKind == 'buyer' and c.waitingSince == '' then
  c.waitingSince = now
  call('HSET', conversation, 'waitingSince', now)
  if holder then
    call('ZADD', waits, 0, holder.id .. ':' .. c.id)
    if c.via ~= 'proxy' then call('ZADD', owed, stamp, c.id) end
    burden(holder, 0, 1)
  end
elseif fromKind ~= 'buyer' and c.waitingSince ~= '' and not standIn then
  c.waitingSince = ''
  call('HDEL', conversation, 'waitingSince', 'missed')
  call('ZREM', waits, holder.id .. ':' .. c.id)
  call('ZREM', owed, c.id)
  burden(holder, 0, -1)
end

-- Who was hung up for not replying is back.
if fromKind ~= 'buyer' and get(holder.id .. ':silent') == '1' then
  put(holder.id .. ':silent', '')
  become(holder, effective(holder), 'auto-resume')
end

-- Whoever speaks with the buyer is a recent contact; a proxy or a robot never is.
if holder and holder.kind == 'agent' and (fromKind ~= 'buyer' or holder.presence ~= 'offline') then
  call('HSET', buyer, 'contacts', remember(call('HGET', buyer, 'contacts') or '', c.buyer, holder.id,
    tonumber(hotMs), tonumber(warmMs)))
end

-- The holder is away: dispatched again now that the buyer writes. What came in overnight stays with the proxy until the
-- morning, and a message that was left with an owner or a proxy until somebody is online.
local again = ''
local left = c.via == 'owner' or c.via == 'proxy'
if fromKind == 'buyer' and holder and holder.presence == 'offline'
  and (not left or ((tonumber(get('online')) or 0) > 0 and not call('ZSCORE', overnight, c.id))) then
  call('ZADD', todo, 'NX', now, c.id)
  again = '1'
end

emit('message', 'conversation', c.id, 'seq', seq, 'from', fromKind, 'by', fromId)
flush()
return { 'stored', message, shown(c), again, loads(), presenceChanges }
