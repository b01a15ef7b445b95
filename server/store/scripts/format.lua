-- format: says in which format everything is kept, and refuses a release that cannot read it.
--
-- @keys format
-- @args oldest newest writes
-- oldest, newest: the formats that the release can read; writes: the one it keeps things in, one of them
--
-- The number only rises, to the newest format that anything may be kept in. Where there is none, nothing is kept yet, or
-- it was by a release that wrote no number: that was format 1. Idempotent by what is.
-- Result: {'reads', the number as it is now}; {'cannot', the number}, and nothing was changed

local kept = redis.call('GET', format)
if kept then
  local number = tonumber(kept)
  if not number or number < tonumber(oldest) or number > tonumber(newest) then return { 'cannot', kept } end
  if number >= tonumber(writes) then return { 'reads', kept } end
end
redis.call('SET', format, writes)
return { 'reads', writes }
