-- welcome: the shop's first automatic answer, at a buyer's first visit.
--
-- @keys events conversation messages sent
-- @args now conversationId clientId body
-- body: the message as JSON without its closing brace; its seq is added here
--
-- Idempotent: it is said once, and not in a conversation that follows another.
-- Result: {'none'}; {'stored', message}

local call = redis.call
local v = call('HMGET', conversation, 'buyer', 'state', 'previous', 'lastSeq', 'lastAt')
local field = 'system:shop:' .. clientId
if not v[1] or v[2] == 'closed' or v[3] or call('HEXISTS', sent, field) == 1 then return { 'none' } end

local seq = (tonumber(v[4]) or 0) + 1
local message = body .. ',"seq":' .. seq .. '}'
call('RPUSH', messages, message)
call('HSET', sent, field, seq)
call('HSET', conversation, 'lastSeq', seq, 'lastAt', string.format('%d', math.max(now, tonumber(v[5]) or 0)))
call('XADD', events, 'MAXLEN', '~', '1000000', '*', 'type', 'message', 'at', stamp, 'conversation', conversationId,
  'seq', seq, 'from', 'system', 'by', 'shop')
return { 'stored', message }
