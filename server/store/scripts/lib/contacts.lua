-- A buyer's recent contacts: ',anna=1767000000000,ben=1766990000000,', latest first, at most ten.

local function contactsIn(text) return string.gmatch(text, '([^,=]+)=(%d+)') end

-- The contacts after this agent was sent to, or spoke with, the buyer; those past the warm window are dropped.
local function remember(text, agent, warmMs)
  local kept, n = ',' .. agent .. '=' .. stamp, 1
  for id, at in contactsIn(text) do
    if id ~= agent and n < 10 and now - tonumber(at) <= warmMs then
      kept = kept .. ',' .. id .. '=' .. at
      n = n + 1
    end
  end
  return kept .. ','
end
