-- profile: what the shop knows of a buyer: name, crowds, exclusive agent. A new one makes plans of the old one stale.
--
-- @keys live events buyer
-- @args now buyerId name crowds exclusiveAgent
--
-- The version is drawn from one count for the whole shop: a buyer who was erased and comes back must not be taken for
-- who they were.
--
-- Result: the profile's version

local call = redis.call
local version = call('HINCRBY', live, 'profiles', 1)
call('HSET', buyer, 'profile', version, 'name', name, 'crowds', crowds, 'exclusive', exclusiveAgent)
call('XADD', events, 'MAXLEN', '~', 1000000, '*', 'type', 'profile', 'at', now, 'buyer', buyerId)
return version
