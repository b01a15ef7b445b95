-- cool: ends the windows of contacts, a batch at a time. At the end of the hot window a contact cools, at the end of the
-- warm one it is forgotten. A contact that was refreshed meanwhile is put back to its true time.
--
-- @keys hot warm
-- @buyers the buyers of the contacts follow the keys, in the order of the contacts
-- @args now line hotMs warmMs
-- line: 'hot' or 'warm', where the contacts were found
-- then the contacts, '<buyer>:<agent>'
--
-- Idempotent by state: a contact is found in its line once.
-- Result: the contacts that have ended their window, each a text

local call = redis.call
hotMs, warmMs = tonumber(hotMs), tonumber(warmMs)
local from = line == 'hot' and hot or warm

local ended = {}
for i = REST + 1, #ARGV do
  local contact, whose = ARGV[i], KEYS[READY + i - REST - 1]
  local score = call('ZSCORE', from, contact)
  if score then
    local agent = string.match(contact, ':(.+)$')
    local contacts = call('HGET', whose, 'contacts') or ''
    -- One that is not there any more has been forgotten already, as too old; its end is told all the same.
    local at = string.match(contacts, ',' .. string.gsub(agent, '[-.]', '%%%0') .. '=(%d+),') or score
    local age = now - tonumber(at)
    if contacts == '' and call('EXISTS', whose) == 0 then
      call('ZREM', from, contact) -- erased: nobody is to be reminded of them
    elseif line == 'hot' and age > hotMs then
      call('ZREM', hot, contact)
      call('ZADD', warm, at, contact)
      ended[#ended + 1] = contact
    elseif line == 'hot' then
      call('ZADD', hot, at, contact)
    elseif age > warmMs then
      call('ZREM', warm, contact)
      local kept = ','
      for id, time in string.gmatch(contacts, '([^,=]+)=(%d+)') do
        if id ~= agent then kept = kept .. id .. '=' .. time .. ',' end
      end
      if kept ~= ',' then call('HSET', whose, 'contacts', kept) elseif contacts ~= '' then call('HDEL', whose, 'contacts') end
      ended[#ended + 1] = contact
    elseif age <= hotMs then
      call('ZREM', warm, contact)
      call('ZADD', hot, at, contact)
    else
      call('ZADD', warm, at, contact)
    end
  end
end
return ended
