-- convert: a buyer has bought. The sale counts for the agent of their latest contact, whose weight it raises in groups that
-- are conversion-first.
--
-- @keys live waits overnight todo lapses shifts events buyer
-- @ready the ready sets of the whole shop and of every group
-- @args now version buyerId order warmMs request
-- @include live fresh agent presence contacts
--
-- Idempotent by the order: it counts once. The same request again answers as before.
-- Result: {'stale'}; {'nobody'} the buyer spoke with nobody within the warm window; {'repeat'}; {'counted', agent}

local counted = call('HGET', buyer, 'order:' .. order)
if counted then
  local agent, by = string.match(counted, '^([^ ]*) (.*)$')
  return by == request and { 'counted', agent } or { 'repeat' }
end

local id
for contact, at in contactsIn(call('HGET', buyer, 'contacts') or '') do
  if agentOf(contact).kind == 'agent' and now - tonumber(at) <= tonumber(warmMs) then
    id = contact
    break
  end
end
if not id then return { 'nobody' } end

lapse()
call('HSET', buyer, 'order:' .. order, id .. ' ' .. request)
local a = agentOf(id)
local before = rateOf(a)
add(id .. ':sold', 1)
add('sold', 1)
if onDuty(a) then
  for group, _, rated in memberships(a.groups) do
    if rated == '%' then rescale(a, group, before / rateOf(a)) end
  end
end
emit('converted', 'buyer', buyerId, 'order', order, 'agent', id)
flush()
return { 'counted', id }
