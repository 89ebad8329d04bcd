import { createHash } from "node:crypto";

/** A script that runs as one step inside of Redis. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/**
 * What a script knows. Keys: the record of the log, the topics by when they were written, the entries of the topic, which
 * is its channel as well. Arguments: a name for a life that may begin; the run of the server, if it may have lost what
 * it acknowledged in the one before; the topic; the age of entries in ms, or 0.
 *
 * The record holds a field for each topic that was written: its life, its last offset, and the bytes of all it ever had.
 * An epoch is a life and the generation of the log, so that all epochs end at once when entries may have been lost; the
 * offsets and what is left go on. Topics that were never written share the life that begins next.
 */
const head = `
local record, times, stream = KEYS[1], KEYS[2], KEYS[3]
local fresh, run, topic, age = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local field = 't:' .. topic
local known = redis.call('HMGET', record, 'generation', 'next', 'run', field)
local generation, unborn = known[1], known[2]
if not generation then
  generation, unborn = fresh, fresh
  redis.call('HSET', record, 'generation', fresh, 'next', fresh, 'run', run)
elseif run ~= '' and known[3] ~= run then
  generation = fresh
  redis.call('HSET', record, 'generation', fresh, 'run', run)
end
local born = known[4] and true
local life, last, total = unborn, 0, 0
if born then
  local a, b, c = string.match(known[4], '^(%w+) (%d+) (%d+)$')
  life, last, total = a, tonumber(b), tonumber(c)
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function whole(n) return string.format('%.0f', n) end
local function oldest()
  return redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
end
local function offset_of(entry)
  return tonumber(string.match(entry[1], '^%d+'))
end
-- Lets go the oldest while they do not fit: an entry has its text, the bytes before it, and when it came.
local function trim(bytes)
  local gone
  local from = '-'
  while true do
    local some = redis.call('XRANGE', stream, from, '+', 'COUNT', 100)
    local kept
    for _, entry in ipairs(some) do
      local fields = entry[2]
      if (bytes == 0 or total - fields[4] <= bytes) and (age == 0 or now - fields[6] < age) then
        kept = true
        break
      end
      gone = offset_of(entry)
    end
    if kept or #some < 100 then break end
    from = '(' .. whole(gone) .. '-0'
  end
  if gone then redis.call('XTRIM', stream, 'MINID', '=', whole(gone + 1) .. '-0') end
end
`;

/** Further: entries kept, bytes kept, when a topic that nobody wrote is forgotten, how many are kept, and the texts. */
export const appendScript: Script = script(`${head}
local count, bytes, forget, topics = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
if not born then
  redis.call('DEL', stream)
  local old = redis.call('ZRANGE', times, 0, 9, 'WITHSCORES')
  local present = redis.call('ZCARD', times)
  for i = 1, #old, 2 do
    if present < topics and now - old[i + 1] < forget then break end
    present = present - 1
    redis.call('HDEL', record, 't:' .. old[i])
    redis.call('ZREM', times, old[i])
    redis.call('DEL', string.sub(stream, 1, -1 - #topic) .. old[i])
    redis.call('HSET', record, 'next', fresh)
  end
end
local first = last + 1
for i = 9, #ARGV do
  last = last + 1
  redis.call('XADD', stream, whole(last) .. '-0', 'e', ARGV[i], 'b', whole(total), 't', whole(now))
  total = total + #ARGV[i]
end
redis.call('XTRIM', stream, 'MAXLEN', '=', count)
trim(bytes)
redis.call('HSET', record, field, life .. ' ' .. whole(last) .. ' ' .. whole(total))
redis.call('ZADD', times, now, topic)
local epoch = life .. '.' .. generation
redis.call('PUBLISH', stream, '["' .. epoch .. '",' .. whole(first) .. ',[' .. table.concat(ARGV, ',', 9) .. ']]')
return { epoch, whole(last) }
`);

/** Further: an epoch or '', an offset, the limit. Without an epoch, the last ones. */
export const readScript: Script = script(`${head}
local wanted, after, limit = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
if born and age > 0 then trim(0) end
local epoch = life .. '.' .. generation
local kept = born and oldest()
local from = kept and offset_of(kept) or last + 1
local status = 'resumed'
if wanted == '' then
  from = math.max(from, last - limit + 1)
elseif wanted ~= epoch or after > last then
  status = 'reset'
elseif after + 1 < from then
  status = 'gap'
else
  from = after + 1
end
local texts = {}
if limit > 0 and from <= last then
  for i, entry in ipairs(redis.call('XRANGE', stream, whole(from) .. '-0', '+', 'COUNT', whole(limit))) do
    texts[i] = entry[2][2]
  end
end
return { status, epoch, whole(from + #texts - 1), texts }
`);

export const dropScript: Script = script(`${head}
if born then
  redis.call('HDEL', record, field)
  redis.call('HSET', record, 'next', fresh)
  redis.call('ZREM', times, topic)
  redis.call('DEL', stream)
  redis.call('PUBLISH', stream, '')
end
`);

function script(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}
