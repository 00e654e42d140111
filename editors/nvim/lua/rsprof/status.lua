--- The session in words: one short line for the status line, and the whole for `:Rsprof status`.
local session = require('rsprof.session')
local units = require('rsprof.units')

local M = {}

---@return string empty while nothing is attached
function M.line()
  local status = session.status()
  if not status or status.state == 'detached' then
    return ''
  end
  local name = vim.fn.fnamemodify(status.exe, ':t')
  if status.state ~= 'running' then
    return ('rsprof: %s %s'):format(name, status.state)
  end
  local parts = { ('rsprof: %s %.2f cores'):format(name, status.cpu.processCores) }
  if status.heap.mode ~= 'off' then
    table.insert(parts, units.bytes(status.heap.liveBytes))
  end
  table.insert(parts, session.progress())
  return table.concat(parts, '  ')
end

---@param status rsprof.StatusParams
---@return string[]
function M.report(status)
  local cpu, heap = status.cpu, status.heap
  local lines = {
    ('%s  %d  %s'):format(status.state, status.pid, status.exe),
    ('cpu    %.2f cores, %d samples at %d Hz, %d lost, %s of the stacks complete'):format(
      cpu.processCores,
      cpu.samples,
      cpu.freqHz,
      cpu.lost,
      units.percent(cpu.stacksComplete)
    ),
  }
  if heap.mode == 'off' then
    table.insert(lines, 'heap   not measured')
  else
    table.insert(
      lines,
      ('heap   %s live in %s blocks of %s held by the process, %s/s (%s, %d lost)'):format(
        units.bytes(heap.liveBytes),
        units.count(heap.liveBlocks),
        units.bytes(heap.processHeapBytes),
        units.bytes(heap.allocBytesPerSec),
        heap.mode,
        heap.lost
      )
    )
  end
  table.insert(lines, ("cost   %s of the process's CPU time"):format(units.percent(status.overhead.fraction)))
  for _, hint in ipairs(status.hints) do
    table.insert(lines, 'hint   ' .. hint)
  end
  return lines
end

--- Shows the report.
function M.show()
  local status = session.status()
  if not status or status.state == 'detached' then
    vim.notify('rsprof: not attached')
    return
  end
  vim.notify(table.concat(M.report(status), '\n'))
end

return M
