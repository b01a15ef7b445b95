-- A conversation as it stands, and the moves between holders.
--
-- held: every open conversation by its holder, '<agent>:<conversation>', ':<conversation>' where nobody holds it.
-- waits: of those, the ones that wait for their holder's reply. All scores are 0: both are read by prefix.
-- owed: the same by since when this holder owes the reply; without what is left with a proxy, of whom nobody expects one in
-- time.
-- queue: by ticket, those of a higher priority before all others.

local function conversationOf(id)
  local v = call('HMGET', conversation, 'buyer', 'state', 'agent', 'group', 'overnight', 'waitingSince', 'lastSeq',
    'openedAt', 'closedAt', 'assignment', 'via', 'lastAt')
  if not v[1] then return nil end
  return {
    id = id, buyer = v[1], state = v[2], agent = v[3] or '', group = v[4] or '', overnight = v[5] or '',
    waitingSince = v[6] or '', lastSeq = v[7] or '0', openedAt = v[8], closedAt = v[9] or '',
    assignment = v[10], via = v[11], lastAt = v[12] or v[8],
  }
end

-- Now, as its lastAt: since when nothing has happened in it. It never goes back, though a node that was slow comes with an
-- earlier time.
local function quietFrom(c) return text(math.max(now, tonumber(c.lastAt))) end

-- The conversation as scripts return it: its wire form is made of these. One text, as each item of a list that is
-- answered takes Redis and the reader of the answer longer than a part of a text.
local function shown(c)
  return c.id .. '|' .. c.buyer .. '|' .. c.state .. '|' .. c.agent .. '|' .. c.group .. '|' .. c.overnight .. '|'
    .. c.waitingSince .. '|' .. c.lastSeq .. '|' .. c.openedAt .. '|' .. c.closedAt
    .. '|' .. c.assignment
end

local CLASS = 10000000000000 -- more than any ticket

local function placeInQueue(place, priority) return text(place - priority * CLASS) end

local function release(c)
  call('ZREM', held, c.agent .. ':' .. c.id)
  if c.state == 'queued' then
    call('ZREM', queue, c.id)
    call('HDEL', places, c.id)
    add('queued', -1)
  elseif c.state == 'pooled' then
    call('ZREM', pool, c.id)
  elseif c.agent ~= '' then
    local waiting = c.waitingSince ~= ''
    if waiting then
      call('ZREM', waits, c.agent .. ':' .. c.id)
      call('ZREM', owed, c.id)
    end
    if c.via == 'proxy' then call('ZREM', overnight, c.id) end
    burden(agentOf(c.agent), -1, waiting and -1 or 0)
  end
  c.agent = ''
end

-- Who has talked with a robot and comes to a person, or into a line, waits for them, though the robot has answered.
local function leaveRobot(c)
  if c.state ~= 'robot' or c.waitingSince ~= '' or c.lastSeq == '0' then return end
  c.waitingSince = stamp
  call('HSET', conversation, 'waitingSince', stamp)
end

-- The holder owes the reply from now on; never since before the buyer waited, though a node that was slow comes with an
-- earlier time.
local function owe(c) call('ZADD', owed, text(math.max(now, tonumber(c.waitingSince))), c.id) end

-- via: the outcome by which they get it.
local function take(c, a, via)
  c.agent, c.via = a.id, via
  call('ZADD', held, '0', a.id .. ':' .. c.id)
  local waiting = c.waitingSince ~= ''
  if waiting then
    call('ZADD', waits, '0', a.id .. ':' .. c.id)
    if via ~= 'proxy' then owe(c) end
  end
  burden(a, 1, waiting and 1 or 0)
end
