-- audit: an entry for what no script of the shop does: a token that was given out, a delivery that is made again.
--
-- @keys audit
-- @args now request by action target changes
-- by: '<kind>:<id>'; changes: a JSON list, '' for none
-- @include live audit
--
-- Idempotent by the request: the same as that of one of the latest hundred entries writes none.
-- Result: {'done'}

for _, entry in ipairs(call('XREVRANGE', audit, '+', '-', 'COUNT', '100')) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'request' and fields[i + 1] == request then return { 'done' } end
  end
end
account(by, action, target, changes, request)
return { 'done' }
