-- A buyer's recent contacts: ',anna=1767000000000,ben=1766990000000,', latest first, at most ten.
--
-- hot, warm: the same contacts, '<buyer>:<agent>' by time, so that the end of their windows is found. A contact stands in
-- one of them. One that is refreshed while it is hot stays where it is: whoever sweeps looks its true time up.

local function contactsIn(text) return string.gmatch(text, '([^,=]+)=(%d+)') end

-- The contacts after this agent was sent to, or spoke with, the buyer; those past the warm window are dropped. Their times
-- never go back, though a node that was slow comes with an earlier one.
local function remember(text, buyerId, agent, hotMs, warmMs)
  local newest = string.match(text, '=(%d+)')
  local at = newest and tonumber(newest) > now and newest or stamp
  local kept, n, before = ',' .. agent .. '=' .. at, 1, nil
  for id, time in contactsIn(text) do
    if id == agent then
      before = tonumber(time)
    elseif now - tonumber(time) <= warmMs then
      if n < 10 then
        kept = kept .. ',' .. id .. '=' .. time
        n = n + 1
      else
        call('ZREM', hot, buyerId .. ':' .. id)
        call('ZREM', warm, buyerId .. ':' .. id)
      end
    end
  end
  if not before or tonumber(at) - before > hotMs then
    call('ZADD', hot, at, buyerId .. ':' .. agent)
    call('ZREM', warm, buyerId .. ':' .. agent)
  end
  return kept .. ','
end
