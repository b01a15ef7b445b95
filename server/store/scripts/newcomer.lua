-- newcomer: by far the most frequent claim, written straight down. A buyer without any conversation or contact clicks by
-- day, somebody is online, nobody queues, and one group without a robot is left: whose turn it is takes them. claim.lua
-- comes to exactly the same, key by key (test/scripts/newcomer.test.ts), with twice the arguments and with functions that
-- are made anew at every run. See docs/decisions/0008.
--
-- Whatever is the least unusual (a grace that has ended, an agent who is busy, who gets full, who is weighted by sales) is
-- left to claim.lua: nothing has been written then.
--
-- @keys live held hot idle events buyer conversation ready
-- @args now version profile buyerId conversationId request entry group before after by
-- ready: of the group; before, after: what the trace says before and after how many are online; by: what narrowed
--
-- Idempotent: who has clicked before is no newcomer.
-- Result: {'stale'}; {'unusual'}; {'assigned', assignment record, agent, load}

local call, text = redis.call, string.format

local head = call('HMGET', live, 'version', 'online', 'lapse', 'queued', 'threshold', 'hangUpAt')
if head[1] ~= version then return { 'stale' } end
local online, lapse = head[2], tonumber(head[3])
if not online or online == '0' or (lapse and now >= lapse) or (head[4] and head[4] ~= '0') then return { 'unusual' } end

local b = call('HMGET', buyer, 'profile', 'conversation', 'contacts')
if b[2] or b[3] or (b[1] or '0') ~= profile then return { 'unusual' } end

local turn = call('ZRANGE', ready, '0', '0', 'WITHSCORES')
local id, pass = turn[1], turn[2]
if not id then return { 'unusual' } end

local a = call('HMGET', live, id .. ':kind', id .. ':active', id .. ':pending', id .. ':capacity', id .. ':groups')
local active, pending = (tonumber(a[2]) or 0) + 1, a[3] or '0'
local capacity, hangUpAt = tonumber(a[4]), tonumber(head[6])
local at = string.find(a[5], ',' .. group .. '=', 1, true) + #group + 2
if a[1] ~= 'agent' or tonumber(pending) > (tonumber(head[5]) or 0) or (capacity and active >= capacity)
  or (hangUpAt and active >= hangUpAt)  or string.sub(a[5], at + 1, at + 1) == '%' then
  return { 'unusual' }
end

local level, load, name = string.sub(a[5], at, at), text('%d', active), group ~= '*' and group or ''
call('ZADD', ready, text('%d', pass + 60000 / level), id) -- UNIT of lib/agent.lua
call('HSET', live, id .. ':active', load, '@' .. group .. ':time', pass)
call('ZADD', held, '0', id .. ':' .. conversationId)
call('ZADD', hot, stamp, buyerId .. ':' .. id)
call('ZADD', idle, stamp, conversationId)
call('HSET', buyer, 'conversation', conversationId, 'contacts', ',' .. id .. '=' .. stamp .. ',', 'request',
  conversationId .. '.' .. request)
local record = stamp .. '|agent|' .. id .. '|' .. name .. '|group|' .. before .. online .. after .. id .. ':' .. pass .. ':'
  .. level .. ':' .. pending .. ':' .. by
call('HSET', conversation, 'buyer', buyerId, 'openedAt', stamp, 'state', 'assigned', 'agent', id, 'group', name, 'via', 'agent',
  'entry', entry, 'assignment', request, 'a:' .. request, record)
call('XADD', events, 'MAXLEN', '~', '1000000', '*', 'type', 'assigned', 'at', stamp, 'conversation', conversationId,
  'buyer', buyerId, 'assignment', request, 'outcome', 'agent', 'agent', id)
return { 'assigned', record, id, id .. '|' .. pending .. '|' .. load }
