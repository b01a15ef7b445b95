-- The audit log: who has changed what. The script that makes a change writes it, so that there is never one without the
-- other; docs/audit.md is about what is in it.
--
-- An entry's id begins with its time, which never runs backwards, though the clocks of nodes differ: that of the entry
-- before it is the least it can have.
local AUDIT_KEPT, AUDIT_KEPT_MS = '100000', 400 * 24 * 3600000

-- by: '<kind>:<id>'. changes: a JSON list, '' for none; or one change as a table of its path and the identifiers before and
-- after, '' for none. request: '' where the script knows a repeat by itself. Answers the entry's id.
-- One function and no helpers: each is made anew with every run, also with those that write no entry.
local function account(by, action, target, changes, request)
  if type(changes) == 'table' then
    local path, before, after = unpack(changes)
    changes = '[{"path":"' .. path .. '"' .. (before ~= '' and ',"before":"' .. before .. '"' or '')
      .. (after ~= '' and ',"after":"' .. after .. '"' or '') .. '}]'
  end
  local last = call('XREVRANGE', audit, '+', '-', 'COUNT', '1')[1]
  local at = math.max(now, last and tonumber(string.match(last[1], '^%d+')) or 0)
  local id = call('XADD', audit, 'MAXLEN', '~', AUDIT_KEPT, text(at) .. '-*', 'by', by, 'action', action, 'target', target,
    'changes', changes, 'request', request)
  call('XTRIM', audit, 'MINID', '~', text(math.max(0, at - AUDIT_KEPT_MS)))
  return id
end
