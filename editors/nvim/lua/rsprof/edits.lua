--- Where a line has gone to since an earlier version of the text.
--- Keeps the edits that changed the number of lines, in order, each with the version it made.
---@class rsprof.Edits
---@field entries {version: integer, first: integer, last: integer, new_last: integer}[]
---@field forgotten integer edits up to this version are no longer known
local Edits = {}
Edits.__index = Edits

local limit = 4096

---@return rsprof.Edits
function Edits.new()
  return setmetatable({ entries = {}, forgotten = -1 }, Edits)
end

--- Where a line goes when the lines [first, last) are replaced by the lines [first, new_last).
---@return integer? line nil when the line was deleted
function Edits.moved(line, first, last, new_last)
  if line < first then
    return line
  end
  if line >= last then
    return line + new_last - last
  end
  return line < new_last and line or nil
end

---@param version integer the version that the edit made
---@param first integer
---@param last integer
---@param new_last integer
function Edits:add(version, first, last, new_last)
  if last == new_last then
    return
  end
  table.insert(self.entries, { version = version, first = first, last = last, new_last = new_last })
  if #self.entries > limit then
    self.forgotten = table.remove(self.entries, 1).version
  end
end

--- Forgets the edits up to a version: nothing older will be asked for.
---@param version integer
function Edits:forget(version)
  while self.entries[1] and self.entries[1].version <= version do
    table.remove(self.entries, 1)
  end
end

--- Whether lines of this version can still be mapped.
---@param version integer
---@return boolean
function Edits:covers(version)
  return version >= self.forgotten
end

--- Where a line of an earlier version stands now.
---@param line integer
---@param version integer
---@return integer? line nil when it was deleted since
function Edits:map(line, version)
  ---@type integer?
  local now = line
  for _, edit in ipairs(self.entries) do
    if now and edit.version > version then
      now = Edits.moved(now, edit.first, edit.last, edit.new_last)
    end
  end
  return now
end

return Edits
