-- unlist: takes a shop off the list of those that have a webhook, unless one was announced later than `since`.
--
-- @keys webhookShops
-- @args shop since
-- since: ms
--
-- Looked at and taken off in one step: whoever announces one meanwhile stays listed. Idempotent by what is.
-- Result: {'done'}, the shop is not listed; {'kept'}

local announced = redis.call('ZSCORE', webhookShops, shop)
if announced and tonumber(announced) > tonumber(since) then return { 'kept' } end
redis.call('ZREM', webhookShops, shop)
return { 'done' }
