--- How the cost of a line went in the last ticks, as a row of little bars.
---@class rsprof.Trend
---@field cpu number[] the oldest first
---@field heap number[]
local Trend = {}
Trend.__index = Trend

local length = 30
local bars = { '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█' }

---@return rsprof.Trend
function Trend.new()
  return setmetatable({ cpu = {}, heap = {} }, Trend)
end

---@param values number[]
---@param value number
local function push(values, value)
  table.insert(values, value)
  if #values > length then
    table.remove(values, 1)
  end
end

---@param annotation rsprof.Annotation
function Trend:add(annotation)
  push(self.cpu, annotation.cpu.self)
  push(self.heap, annotation.heap.selfLiveBytes)
end

--- Bars between nothing and the largest value.
---@param values number[]
---@return string empty where there is no trend yet
function Trend.bars(values)
  local largest = 0
  for _, value in ipairs(values) do
    largest = math.max(largest, value)
  end
  if #values < 2 or largest == 0 then
    return ''
  end
  local drawn = {}
  for _, value in ipairs(values) do
    table.insert(drawn, bars[math.floor(value / largest * (#bars - 1) + 0.5) + 1])
  end
  return table.concat(drawn)
end

return Trend
