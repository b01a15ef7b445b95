-- An agent's live record, and what follows when it changes: who is on duty stands in the ready set of each of their
-- groups, ordered by pass (stride scheduling, Waldspurger and Weihl 1995); who is not stands in none.
--
-- groups: ',sales=5,vip=3%,*=5,': level in each group, '%' where the group is conversion-first, '*' the whole shop.
-- Robots, and a proxy that is in no group, have no groups and are never on duty.
local UNIT = 60000 -- the stride of weight 1: an integer for every level from 1 to 5
local GOLDEN = 0.6180339887498949
local agents, touched = {}, {}

local function agentOf(id)
  local a = agents[id]
  if a then return a end
  local v = call('HMGET', live, id .. ':kind', id .. ':presence', id .. ':active', id .. ':pending',
    id .. ':capacity', id .. ':groups')
  a = {
    id = id,
    kind = v[1] ~= 'gone' and v[1] or nil,
    presence = v[2] or 'offline',
    active = tonumber(v[3]) or 0,
    pending = tonumber(v[4]) or 0,
    capacity = tonumber(v[5]) or math.huge,
    groups = v[6] or '',
  }
  agents[id] = a
  return a
end

local function hasRoom(a) return a.active < a.capacity end

local function onDuty(a) return a.presence == 'online' and a.groups ~= '' and hasRoom(a) end

-- 1 up to the threshold, 1 + (pending - threshold) above: the busy get fewer, not none.
local function busyness(a)
  local over = a.pending - (tonumber(get('threshold')) or 0)
  return over > 0 and 1 + over or 1
end

-- How well an agent sells, 1 being the shop's mean: sales for each buyer received in groups that are conversion-first,
-- smoothed as if PRIOR buyers at the mean had come before. Who is new, or a shop without a sale, has 1.
local PRIOR = 20
local function rateOf(a)
  local sold, received = tonumber(get('sold')) or 0, tonumber(get('received')) or 0
  if sold == 0 or received == 0 then return 1 end
  local expected = sold / received
  local own, of = tonumber(get(a.id .. ':sold')) or 0, tonumber(get(a.id .. ':received')) or 0
  return math.max(0.1, (own / expected + PRIOR) / (of + PRIOR))
end

-- Advance of the pass for one buyer: UNIT / weight.
local function strideOf(a, level, rated)
  local stride = UNIT / level * busyness(a)
  if rated then stride = stride / rateOf(a) end
  return math.max(1, math.floor(stride + 0.5))
end

local function memberships(groups) return string.gmatch(groups, '([^,=]+)=(%d)(%%?)') end

-- The ready set of a group: named like the first, which is the whole shop's, and declared like it.
local readyPrefix = string.sub(KEYS[READY], 1, -2)
local function readyOf(group) return readyPrefix .. group end

local function timeOf(group) return tonumber(get('@' .. group .. ':time')) or 0 end

-- Joins at the group's present virtual time plus a phase: nobody is flooded for having been away, and equal strides
-- interleave. The phase comes from a golden-ratio sequence, so it is even and needs no luck. Who left with part of a
-- stride still ahead of them does not join before its end: nobody gains by leaving, be it by a connection that flaps or
-- by being full at every turn (docs/decisions/0007).
local function joinGroup(a, group, level, rated)
  local turn = add('@' .. group .. ':joins', 1)
  local pass = timeOf(group) + math.floor(turn * GOLDEN % 1 * strideOf(a, level, rated))
  local time, ahead = string.match(get(a.id .. ':left:' .. group) or '', '^(%d+)+(%d+)$')
  if time then pass = math.max(pass, tonumber(time) + tonumber(ahead) * busyness(a)) end
  call('ZADD', readyOf(group), text(pass), a.id)
  add('@' .. group .. ':levels', level)
end

-- What is ahead of who leaves is kept as it would be if they were not busy: they may come back with less to do.
local function leaveGroup(a, group, level, wasBusyness)
  local key, time = readyOf(group), timeOf(group)
  local ahead = math.max(0, tonumber(call('ZSCORE', key, a.id)) - time) / wasBusyness
  put(a.id .. ':left:' .. group, text(time) .. '+' .. text(math.floor(ahead)))
  call('ZREM', key, a.id)
  add('@' .. group .. ':levels', -level)
end

-- A changed weight rescales what is left of the stride.
local function rescale(a, group, ratio)
  local key = readyOf(group)
  local left = tonumber(call('ZSCORE', key, a.id)) - timeOf(group)
  call('ZADD', key, text(timeOf(group) + math.floor(left * ratio + 0.5)), a.id)
end

-- Brings the ready sets in line with the record, given how it stood before.
local function settle(a, wasOnDuty, wasBusyness)
  local is = onDuty(a)
  if is and not wasOnDuty then
    for group, level, rated in memberships(a.groups) do joinGroup(a, group, level, rated == '%') end
  elseif wasOnDuty and not is then
    for group, level in memberships(a.groups) do leaveGroup(a, group, level, wasBusyness) end
  elseif is and busyness(a) ~= wasBusyness then
    for group in memberships(a.groups) do rescale(a, group, busyness(a) / wasBusyness) end
  end
end

-- What else follows when the number of conversations has changed: lib/presence.lua says.
local followLoad

-- Adds to an agent's load: active conversations, and those that wait for a reply.
local function burden(a, active, pending)
  if active == 0 and pending == 0 then return end
  local was, wasBusyness = onDuty(a), busyness(a)
  a.active = a.active + active
  a.pending = a.pending + pending
  if active ~= 0 then put(a.id .. ':active', a.active) end
  if pending ~= 0 then put(a.id .. ':pending', a.pending) end
  touched[a.id] = a
  settle(a, was, wasBusyness)
  if active ~= 0 then followLoad(a, active) end
end

-- Loads that changed, for the agents to be told: 'anna|2|5' is her pending and active; several joined by ';'.
local function loads()
  local line = ''
  for id, a in pairs(touched) do
    line = (line == '' and id or line .. ';' .. id) .. '|' .. a.pending .. '|' .. a.active
  end
  return line
end
