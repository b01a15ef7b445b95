-- note: small facts about a conversation that change nobody's load: what has been seen, how the buyer rates it.
--
-- @keys events conversation
-- @args now conversationId byKind byId what value comment
-- what: 'seen' up to a seq, which only grows | 'rated' with a score
--
-- Idempotent by what is: the same again changes nothing, and is no event.
-- Result: {'missing'}; {'not-holder'}; {'done', agent who holds or held it, buyer, '1' if it changed anything, value}

local call = redis.call
local v = call('HMGET', conversation, 'buyer', 'agent', 'lastSeq', 'score', 'comment')
if not v[1] or (byKind == 'buyer' and v[1] ~= byId) then return { 'missing' } end
if byKind ~= 'buyer' and v[2] ~= byId then return { 'not-holder' } end

local changed = ''
if what == 'seen' then
  local field = 'seen:' .. (byKind == 'buyer' and 'buyer' or 'agent')
  local upTo = math.min(tonumber(value), tonumber(v[3]) or 0)
  if upTo > (tonumber(call('HGET', conversation, field)) or 0) then
    call('HSET', conversation, field, upTo)
    changed = '1'
  end
  value = tostring(upTo)
elseif v[4] ~= value or v[5] ~= comment then
  call('HSET', conversation, 'score', value, 'comment', comment)
  call('XADD', events, 'MAXLEN', '~', 1000000, '*', 'type', 'rated', 'at', now, 'conversation', conversationId, 'score', value)
  changed = '1'
end
return { 'done', v[2] or '', v[1], changed, value }
