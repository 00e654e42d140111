--- Chooses a process through vim.ui.select: Rust processes, those built from the workspace first.
local client = require('rsprof.client')
local log = require('rsprof.log')
local methods = require('rsprof.protocol').methods
local units = require('rsprof.units')

local M = {}

---@class rsprof.PickerItem
---@field process? rsprof.Process nil for the entry that shows every process
---@field text string

local debug_info_notes = { symbols = 'functions only', none = 'no debug info' }

---@param process rsprof.Process
---@return string
local function remarks(process)
  local found = {}
  if process.workspace then
    table.insert(found, 'this workspace')
  end
  if not process.rust then
    table.insert(found, 'not Rust')
  end
  table.insert(found, debug_info_notes[process.debugInfo])
  if not process.attachable then
    table.insert(found, 'cannot attach')
  end
  return #found > 0 and ('  [%s]'):format(table.concat(found, ', ')) or ''
end

--- The entries of the list, in columns.
---@param processes rsprof.Process[]
---@return rsprof.PickerItem[]
function M.items(processes)
  local width = 0
  for _, process in ipairs(processes) do
    width = math.max(width, #process.name)
  end
  local items = {}
  for _, process in ipairs(processes) do
    local text = ('%7d  %-' .. width .. 's  %5.2f cores  %10s  %s%s'):format(
      process.pid,
      process.name,
      process.cpuCores,
      units.duration(process.uptimeSec),
      vim.fn.fnamemodify(process.exe, ':~:.'),
      remarks(process)
    )
    table.insert(items, { process = process, text = text })
  end
  return items
end

---@param item rsprof.PickerItem
---@param done fun(pid: integer)
local function choose(item, done)
  if not item.process then
    M.pick(done, true)
  elseif item.process.attachable then
    done(item.process.pid)
  else
    log.warn(('cannot attach to %d: %s'):format(item.process.pid, item.process.reason or 'the server does not say why'))
  end
end

--- Asks for a process.
---@param done fun(pid: integer) not called when nothing was chosen
---@param all? boolean not only Rust processes
function M.pick(done, all)
  client.request(methods.list_processes, { all = all or false }, function(result)
    local items = M.items(result.processes)
    if #items == 0 and all then
      log.warn('no process found')
      return
    end
    local prompt = #items == 0 and 'No Rust process runs:' or 'Attach to process:'
    if not all then
      table.insert(items, { text = 'show all processes…' })
    end
    vim.ui.select(items, {
      prompt = prompt,
      kind = 'rsprof.process',
      format_item = function(item)
        return item.text
      end,
    }, function(item)
      if item then
        choose(item, done)
      end
    end)
  end)
end

return M
