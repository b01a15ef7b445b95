-- Whose turn it is: the draw of a group, and the lowest pass within it.

-- The agent with the lowest pass among those that `fits` accepts (all, without it), their pass, and the lowest pass of
-- all. nil when nobody is left.
local function lowest(group, fits)
  local key, from, size, first = readyOf(group), 0, fits and 20 or 1, nil
  while true do
    local page = call('ZRANGE', key, text(from), text(from + size - 1), 'WITHSCORES')
    first = first or tonumber(page[2])
    for i = 1, #page, 2 do
      local a = agentOf(page[i])
      if not fits or fits(a) then return a, tonumber(page[i + 1]), first end
    end
    if #page < size * 2 then return nil end
    from = from + size
  end
end

local BUYER = 1000000 -- one buyer, as what is due to groups is counted: whole numbers

-- One of several groups in proportion to the levels on duty in it: each is due its share of every buyer, and the one that
-- is due most gets the buyer. Each set of groups counts for itself. Simulated with up to 20 groups whose levels change, no
-- group is ever more than 1.1 buyers from its share; drawn by a golden-ratio sequence, 3.6. A group where `fits` accepts
-- nobody does not count. Answers the group, or nil and whether somebody is on duty all the same; a single group is not
-- looked into.
local function drawGroup(groups, fits)
  if #groups == 1 then return groups[1] end
  local total, levels, anybody = 0, {}, false
  for i, group in ipairs(groups) do
    local sum = tonumber(get('@' .. group .. ':levels')) or 0
    anybody = anybody or sum > 0
    if fits and sum > 0 and not lowest(group, fits) then sum = 0 end
    levels[i] = sum
    total = total + sum
  end
  if total == 0 then return nil, anybody end
  local field, due, shared, most = '@draw:' .. table.concat(groups, ','), {}, 0, nil
  for owed in string.gmatch(get(field) or '', '[^,]+') do due[#due + 1] = tonumber(owed) end
  for i = 1, #groups do
    local share = math.floor(BUYER * levels[i] / total)
    due[i], shared = (due[i] or 0) + share, shared + share
    if share > 0 and (not most or due[i] > due[most]) then most = i end
  end
  due[most] = due[most] - shared
  for i = 1, #groups do due[i] = text(due[i]) end
  put(field, table.concat(due, ','))
  return groups[most]
end

-- Serving advances the agent's pass by one stride, and the group's virtual time to the lowest pass there was: time
-- never runs ahead of anybody, not even of those whom `fits` passed over, and so never goes back.
local function serve(group, a, pass, first)
  local at = string.find(a.groups, ',' .. group .. '=', 1, true) + #group + 2
  local level = tonumber(string.sub(a.groups, at, at))
  local rated = string.sub(a.groups, at + 1, at + 1) == '%'
  call('ZADD', readyOf(group), text(pass + strideOf(a, level, rated)), a.id)
  put('@' .. group .. ':time', first)
  if rated then
    add(a.id .. ':received', 1)
    add('received', 1)
  end
  return level
end
