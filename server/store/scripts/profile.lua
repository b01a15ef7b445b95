-- profile: what the shop knows of a buyer: name, crowds, exclusive agent. A new one makes plans of the old one stale.
--
-- @keys live events audit buyer
-- @args now buyerId name crowds exclusiveAgent by
-- crowds: a JSON list; by: who writes it, as '<kind>:<id>'
-- @include live audit
--
-- The version is drawn from one count for the whole shop: a buyer who was erased and comes back must not be taken for
-- who they were.
--
-- Idempotent by what is: the same again changes nothing.
-- Result: the profile's version

local was = call('HMGET', buyer, 'profile', 'name', 'crowds', 'exclusive')
if was[1] and was[2] == name and was[3] == crowds and was[4] == exclusiveAgent then return { was[1] } end

local version = add('profiles', 1)
call('HSET', buyer, 'profile', version, 'name', name, 'crowds', crowds, 'exclusive', exclusiveAgent)

local changes = {}
local function compare(path, before, after)
  if before == after then return end
  changes[#changes + 1] = '{"path":"' .. path .. '"' .. (before ~= '' and ',"before":' .. before or '')
    .. (after ~= '' and ',"after":' .. after or '') .. '}'
end
local function quoted(id) return id ~= '' and '"' .. id .. '"' or '' end
-- Only that it is another: what people are called has no place in a log.
if (was[2] or '') ~= name then changes[1] = '{"path":"name"}' end
compare('crowds', was[3] or '', crowds)
compare('exclusiveAgent', quoted(was[4] or ''), quoted(exclusiveAgent))
account(by, 'buyer:changed', buyerId, '[' .. table.concat(changes, ',') .. ']', '')
emit('profile', 'buyer', buyerId)
flush()
return { text(version) }
