--- A window with all that is known about a line: costs, callers and callees.
local Trend = require('rsprof.trend')
local annotations = require('rsprof.annotations')
local client = require('rsprof.client')
local log = require('rsprof.log')
local methods = require('rsprof.protocol').methods
local units = require('rsprof.units')

local M = {}

local namespace = vim.api.nvim_create_namespace('rsprof.details')

---@class rsprof.DetailsText
---@field lines string[]
---@field targets table<integer, rsprof.Edge> by line of the text, 1-based, where it leads

--- Where a caller or callee is: a file that can be opened by its path, another by its name.
---@param edge rsprof.Edge
---@return string
---@return boolean openable
local function location(edge)
  if not edge.uri or not edge.line then
    return '', false
  end
  local file = vim.uri_to_fname(edge.uri)
  local openable = vim.fn.filereadable(file) == 1
  return ('  %s:%d'):format(vim.fn.fnamemodify(file, openable and ':~:.' or ':t'), edge.line + 1), openable
end

---@param text rsprof.DetailsText
---@param title string
---@param edges rsprof.Edge[]
local function add_edges(text, title, edges)
  if #edges == 0 then
    return
  end
  vim.list_extend(text.lines, { '', title })
  for _, edge in ipairs(edges) do
    local where, openable = location(edge)
    table.insert(text.lines, ('%7s  %s%s'):format(units.percent(edge.share), edge['function'], where))
    text.targets[#text.lines] = openable and edge or nil
  end
end

---@param cpu rsprof.LineDetailsCpu
---@return string
local function cpu_line(cpu)
  return ('CPU    %s self   %s total   %.2f cores   %s of it in the kernel   %s samples'):format(
    units.percent(cpu.self),
    units.percent(cpu.total),
    cpu.cores,
    units.percent(cpu.kernelShare),
    units.count(cpu.samples)
  )
end

---@param heap rsprof.LineHeap
---@return string[]
local function heap_lines(heap)
  local error_bound = heap.relStdErr > 0 and (' ± %s'):format(units.percent(heap.relStdErr)) or ''
  local live = ('Heap   %s%s live in %s blocks'):format(
    units.bytes(heap.liveBytes),
    error_bound,
    units.count(heap.liveBlocks)
  )
  if heap.selfLiveBytes ~= heap.liveBytes then
    live = live .. (', %s of it allocated on the line itself'):format(units.bytes(heap.selfLiveBytes))
  end
  local rate = ('       %s/s in %s allocations/s'):format(
    units.bytes(heap.allocBytesPerSec),
    units.count(heap.allocsPerSec)
  )
  return heap.allocBytesPerSec > 0 and { live, rate } or { live }
end

---@param text rsprof.DetailsText
---@param values number[]
local function add_trend(text, values)
  local bars = Trend.bars(values)
  if bars ~= '' then
    table.insert(text.lines, '       ' .. bars)
  end
end

--- What the window says.
---@param details rsprof.LineDetails
---@param trend rsprof.Trend
---@return rsprof.DetailsText
function M.text(details, trend)
  ---@type rsprof.DetailsText
  local text = { lines = { details['function'], '', cpu_line(details.cpu) }, targets = {} }
  add_trend(text, trend.cpu)
  if details.heap.liveBytes > 0 or details.heap.allocBytesPerSec > 0 then
    vim.list_extend(text.lines, heap_lines(details.heap))
    add_trend(text, trend.heap)
  end
  add_edges(text, 'Called from', details.callers)
  add_edges(text, 'Calls', details.callees)
  return text
end

---@param text rsprof.DetailsText
local function open(text)
  local buf, win = vim.lsp.util.open_floating_preview(text.lines, 'rsprof', { focus_id = 'rsprof', border = 'rounded' })
  vim.api.nvim_buf_set_extmark(buf, namespace, 0, 0, { end_col = #text.lines[1], hl_group = 'Title' })
  vim.keymap.set('n', '<CR>', function()
    local edge = text.targets[vim.api.nvim_win_get_cursor(win)[1]]
    if edge then
      vim.api.nvim_win_close(win, true)
      require('rsprof.navigate').open(edge.uri, edge.line)
    end
  end, { buffer = buf, desc = 'rsprof: go to this line' })
end

--- Shows the details of the cursor's line; called again, goes into the window, where <CR> follows a caller or callee.
function M.open()
  local buf = vim.api.nvim_get_current_buf()
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  client.request(methods.line_details, { uri = vim.uri_from_bufnr(buf), line = line }, function(details)
    if details then
      local anchored = annotations.at(buf, line)
      open(M.text(details, anchored and anchored.trend or Trend.new()))
    else
      log.info('nothing was measured on this line')
    end
  end, buf)
end

return M
