--- The options: the defaults, over them `vim.g.rsprof`, over that what was given to setup().
local M = {}

---@class rsprof.Config
---@field server string|string[] the program, or the whole command that speaks the protocol on stdio
---@field folders? string[] what counts as your code; by default the cargo workspace of the current file
---@field position 'eol'|'right_align'|'inline' where the text stands
---@field column 'auto'|integer with 'eol', the least column the text starts in; 0 for none
---@field text 'all'|'line'|'off' on every annotated line, on the cursor's only, or nowhere
---@field signs boolean heat in the sign column
---@field auto_reattach boolean attach again when the same executable comes back
---@field cpu_freq_hz integer
---@field heap rsprof.HeapMode
---@field heap_interval_bytes integer
---@field window_sec integer
---@field source_map string[] `FROM=TO`
---@field metric rsprof.Metric
---@field attribution 'self'|'total'
---@field period 'window'|'attach'
---@field min_share number

---@type rsprof.Config
M.defaults = {
  server = 'rsprof',
  folders = nil,
  position = 'eol',
  column = 'auto',
  text = 'all',
  signs = true,
  auto_reattach = false,
  cpu_freq_hz = 199,
  heap = 'auto',
  heap_interval_bytes = 0,
  window_sec = 10,
  source_map = {},
  metric = 'both',
  attribution = 'self',
  period = 'window',
  min_share = 0.001,
}

--- What each option takes: the names of its types, or the list of its values.
local accepted = {
  server = 'string or table',
  folders = 'table',
  position = { 'eol', 'right_align', 'inline' },
  column = 'number or auto',
  text = { 'all', 'line', 'off' },
  signs = 'boolean',
  auto_reattach = 'boolean',
  cpu_freq_hz = 'number',
  heap = { 'auto', 'hook', 'uprobe', 'off' },
  heap_interval_bytes = 'number',
  window_sec = 'number',
  source_map = 'table',
  metric = { 'cpu', 'heap', 'both' },
  attribution = { 'self', 'total' },
  period = { 'window', 'attach' },
  min_share = 'number',
}

---@type table
local from_setup = {}
---@type rsprof.Config?
local current
--- What the user chose while running, over the options.
---@type rsprof.View
local chosen_view = {}

--- The tables of options, the stronger last.
---@return table[]
local function given()
  local global = vim.g.rsprof
  return { type(global) == 'table' and global or {}, from_setup }
end

---@return string? complaint
local function check(name, value)
  local accepts = accepted[name]
  if accepts == nil then
    return ('there is no option %s; :help rsprof-options lists them'):format(name)
  end
  if type(accepts) == 'table' then
    if not vim.tbl_contains(accepts, value) then
      return ('%s must be one of %s, not %s'):format(name, table.concat(accepts, ', '), vim.inspect(value))
    end
  elseif not accepts:find(type(value), 1, true) and not vim.tbl_contains(vim.split(accepts, ' or '), value) then
    return ('%s must be a %s, not a %s'):format(name, accepts, type(value))
  end
  if name == 'source_map' then
    for _, entry in ipairs(value) do
      if type(entry) ~= 'string' or not entry:find('^[^=]+=') then
        return ('source_map holds FROM=TO, not %s'):format(vim.inspect(entry))
      end
    end
  end
  return nil
end

--- What is wrong with the options the user gave.
---@return string[]
function M.complaints()
  local found = {}
  if vim.g.rsprof ~= nil and type(vim.g.rsprof) ~= 'table' then
    table.insert(found, 'vim.g.rsprof must be a table')
  end
  for _, options in ipairs(given()) do
    for name, value in pairs(options) do
      table.insert(found, check(name, value))
    end
  end
  return found
end

--- Reads the options anew. An option that is wrong keeps its default, and the user is told.
---@return rsprof.Config
function M.reload()
  current = vim.deepcopy(M.defaults)
  for _, options in ipairs(given()) do
    for name, value in pairs(options) do
      if not check(name, value) then
        current[name] = value
      end
    end
  end
  return current
end

---@return rsprof.Config
function M.get()
  return current or M.reload()
end

---@param options? table
function M.setup(options)
  from_setup = options or {}
  M.reload()
  for _, complaint in ipairs(M.complaints()) do
    require('rsprof.log').warn(complaint)
  end
end

--- The command that starts the server.
---@return string[]
function M.command()
  local server = M.get().server
  return type(server) == 'table' and server or { server, 'serve' }
end

--- The view in the words of the protocol.
---@return rsprof.View
function M.view()
  local options = M.get()
  return vim.tbl_extend('force', {
    metric = options.metric,
    attribution = options.attribution,
    period = options.period,
    minShare = options.min_share,
  }, chosen_view)
end

--- Changes the view for the rest of this editor's life.
---@param change rsprof.View
function M.choose_view(change)
  chosen_view = vim.tbl_extend('force', chosen_view, change)
end

--- What the server has to know from its start. What may change later is told later, where a refusal can be shown.
---@return rsprof.InitializationOptions
function M.initialization_options()
  return { sourceMap = M.get().source_map }
end

---@param pid integer
---@return rsprof.AttachParams
function M.attach_params(pid)
  local options = M.get()
  return {
    pid = pid,
    cpuFreqHz = options.cpu_freq_hz,
    heap = options.heap,
    heapIntervalBytes = options.heap_interval_bytes,
    windowSec = options.window_sec,
  }
end

return M
