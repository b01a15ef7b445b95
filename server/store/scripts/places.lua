-- places: keeps what buyers in the queue were told of their place.
--
-- @keys queue places
-- @args now
-- then pairs: conversation, what was told
--
-- Idempotent by what is.
-- Result: the conversations that are in the queue no more, each a text: what was told of them was out of date

local call = redis.call
local gone = {}
for i = REST + 1, #ARGV, 2 do
  if call('ZSCORE', queue, ARGV[i]) then
    call('HSET', places, ARGV[i], ARGV[i + 1])
  else
    gone[#gone + 1] = ARGV[i]
  end
end
return gone
