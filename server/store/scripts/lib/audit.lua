-- The audit log: who has changed what. The script that makes a change writes it, so that there is never one without the
-- other; docs/audit.md is about what is in it.
--
-- An entry's id begins with its time, which never runs backwards, though the clocks of nodes differ: that of the entry
-- before it is the least it can have.
local AUDIT_KEPT, AUDIT_KEPT_MS = '100000', 400 * 24 * 3600000

-- by: '<kind>:<id>'. changes: a JSON list, '' for none. request: '' where the script knows a repeat by itself. Answers the id.
local function account(by, action, target, changes, request)
  local last = call('XREVRANGE', audit, '+', '-', 'COUNT', '1')[1]
  local at = math.max(now, last and tonumber(string.match(last[1], '^%d+')) or 0)
  local id = call('XADD', audit, 'MAXLEN', '~', AUDIT_KEPT, text(at) .. '-*', 'by', by, 'action', action, 'target', target,
    'changes', changes, 'request', request)
  call('XTRIM', audit, 'MINID', '~', text(math.max(0, at - AUDIT_KEPT_MS)))
  return id
end

-- One change of a list, as JSON; before and after are JSON too, '' for what was not there, or is gone.
local function changed(path, before, after)
  return '{"path":"' .. path .. '"' .. (before ~= '' and ',"before":' .. before or '')
    .. (after ~= '' and ',"after":' .. after or '') .. '}'
end

-- An identifier or a word as JSON: nothing in one needs escaping.
local function quoted(word) return word ~= '' and '"' .. word .. '"' or '' end
