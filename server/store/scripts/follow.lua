-- follow: makes the group that reads the shop's event stream from now on, or removes it, as the caller's configuration
-- has it. A group that is there keeps its place.
--
-- @keys live events
-- @args version group wanted
-- wanted: '1' or ''
--
-- Idempotent by what is.
-- Result: {'stale'}; {'done'}

local call = redis.call
if call('HGET', live, 'version') ~= version then return { 'stale' } end

if wanted == '1' then
  local made = redis.pcall('XGROUP', 'CREATE', events, group, '$', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
elseif call('EXISTS', events) == 1 then
  call('XGROUP', 'DESTROY', events, group)
end
return { 'done' }
