-- traces: takes what names an erased buyer, or a conversation of theirs, out of the event stream, a page at a time.
--
-- An event that a reader has taken and not finished stays until it has: something may yet be made of it. What may have been
-- made of those that go, a delivery to a webhook, is remembered by their ids.
--
-- @keys events erasure
-- @args buyerId count
-- count: events in a page
--
-- Idempotent by what is: it goes on where it was.
-- Result: {'more'}; {'waits'} for a reader; {'done'} with the stream

local call = redis.call
local head = call('HMGET', erasure, 'state', 'lastEvent', 'cursor')
if head[1] ~= 'traces' then return { 'done' } end
local last, cursor = head[2], head[3]

local readers = {}
for _, group in ipairs(call('EXISTS', events) == 1 and call('XINFO', 'GROUPS', events) or {}) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  if about.pending > 0 then readers[#readers + 1] = about.name end
end

local function isTaken(id)
  for _, group in ipairs(readers) do
    if #call('XPENDING', events, group, id, id, 1) > 0 then return true end
  end
  return false
end

local makesDeliveries = { assigned = true, transferred = true, message = true }
local page = call('XRANGE', events, cursor == '' and '-' or '(' .. cursor, '(' .. last, 'COUNT', count)
local answer = #page < tonumber(count) and 'done' or 'more'
for _, entry in ipairs(page) do
  local id, event = entry[1], {}
  for i = 1, #entry[2], 2 do event[entry[2][i]] = entry[2][i + 1] end
  local talk = event.conversation and 'c:' .. event.conversation
  local named = event.buyer == buyerId
  -- The first event of a conversation names both: so those are found of which nothing else is left.
  if named and talk then call('HSET', erasure, talk, '') end
  if named or (talk and call('HEXISTS', erasure, talk) == 1) then
    if isTaken(id) then
      answer = 'waits'
      break
    end
    if makesDeliveries[event.type] then call('HSET', erasure, 'e:' .. id, '') end
    call('XDEL', events, id)
  end
  cursor = id
end
call('HSET', erasure, 'cursor', cursor)
return { answer }
