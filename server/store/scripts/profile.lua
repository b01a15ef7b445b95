-- profile: what the shop knows of a buyer: name, crowds, exclusive agent. A new one makes plans of the old one stale.
--
-- @keys events buyer
-- @args now buyerId name crowds exclusiveAgent
--
-- Result: the profile's version

local call = redis.call
local version = (tonumber(call('HGET', buyer, 'profile')) or 0) + 1
call('HSET', buyer, 'profile', version, 'name', name, 'crowds', crowds, 'exclusive', exclusiveAgent)
call('XADD', events, 'MAXLEN', '~', 1000000, '*', 'type', 'profile', 'at', now, 'buyer', buyerId)
return version
