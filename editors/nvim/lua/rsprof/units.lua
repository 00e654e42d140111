--- Numbers for people.
local M = {}

local byte_units = { 'B', 'KiB', 'MiB', 'GiB', 'TiB' }

---@param bytes number
---@return string with three digits, as on the labels: '1.50 KiB', '12.0 MiB', '512 B'
function M.bytes(bytes)
  local unit = 1
  while bytes >= 1023.5 and unit < #byte_units do
    bytes, unit = bytes / 1024, unit + 1
  end
  local decimals = (unit == 1 or bytes >= 99.95) and 0 or bytes >= 9.995 and 1 or 2
  return ('%.' .. decimals .. 'f %s'):format(bytes, byte_units[unit])
end

---@param share number 0…1
---@return string for example '38.2%'
function M.percent(share)
  return ('%.1f%%'):format(share * 100)
end

---@param number number
---@return string for example '20.5 k'
function M.count(number)
  if number >= 1e6 then
    return ('%.1f M'):format(number / 1e6)
  elseif number >= 1e4 then
    return ('%.1f k'):format(number / 1e3)
  end
  return ('%d'):format(number)
end

---@param seconds number
---@return string for example '2 h 05 min'
function M.duration(seconds)
  local s = math.floor(seconds)
  if s < 60 then
    return ('%d s'):format(s)
  elseif s < 3600 then
    return ('%d min'):format(s / 60)
  elseif s < 86400 then
    return ('%d h %02d min'):format(s / 3600, s % 3600 / 60)
  end
  return ('%d d %d h'):format(s / 86400, s % 86400 / 3600)
end

return M
