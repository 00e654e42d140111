--- From hot line to hot line: in the buffer, to the hottest of the process, and all of them in the quickfix list.
local annotations = require('rsprof.annotations')
local client = require('rsprof.client')
local log = require('rsprof.log')
local methods = require('rsprof.protocol').methods

local M = {}

---@param buf integer
---@return integer[] lines annotated lines, 0-based, in order
local function annotated_lines(buf)
  local lines = {}
  for _, anchored in pairs(annotations.get(buf)) do
    table.insert(lines, anchored.line)
  end
  table.sort(lines)
  return lines
end

--- The annotated line after, or before, a line; from the other end where there is none.
---@param lines integer[] in order, not empty
---@param from integer
---@param forward boolean
---@return integer
function M.neighbour(lines, from, forward)
  if forward then
    for _, line in ipairs(lines) do
      if line > from then
        return line
      end
    end
    return lines[1]
  end
  for i = #lines, 1, -1 do
    if lines[i] < from then
      return lines[i]
    end
  end
  return lines[#lines]
end

--- Moves the cursor to the next or previous annotated line, as often as the count says.
---@param forward boolean
function M.step(forward)
  local lines = annotated_lines(vim.api.nvim_get_current_buf())
  if #lines == 0 then
    log.info('no annotated line in this buffer')
    return
  end
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  for _ = 1, vim.v.count1 do
    line = M.neighbour(lines, line, forward)
  end
  vim.cmd("normal! m'")
  vim.api.nvim_win_set_cursor(0, { line + 1, 0 })
  vim.cmd('normal! ^')
end

--- Opens a line of a file in the current window.
---@param uri string
---@param line integer 0-based
function M.open(uri, line)
  vim.cmd("normal! m'")
  vim.cmd('edit ' .. vim.fn.fnameescape(vim.uri_to_fname(uri)))
  local last = vim.api.nvim_buf_line_count(0)
  vim.api.nvim_win_set_cursor(0, { math.min(line + 1, last), 0 })
  vim.cmd('normal! ^')
end

---@param limit integer
---@param done fun(lines: rsprof.HotLine[])
local function hot_lines(limit, done)
  local metric = require('rsprof.session').metric()
  client.request(methods.hot_lines, { metric = metric, limit = limit }, function(result)
    if #result.lines == 0 then
      log.info('no hot line yet')
    else
      done(result.lines)
    end
  end)
end

--- Goes to the hottest line of the process.
function M.hottest()
  hot_lines(1, function(lines)
    M.open(lines[1].uri, lines[1].line)
  end)
end

--- Fills the quickfix list with the hottest lines.
---@param limit? integer
function M.quickfix(limit)
  hot_lines(limit or 20, function(lines)
    local items = {}
    for _, line in ipairs(lines) do
      table.insert(items, {
        filename = vim.uri_to_fname(line.uri),
        lnum = line.line + 1,
        col = 1,
        text = line.label .. '  ' .. line['function'],
      })
    end
    vim.fn.setqflist({}, ' ', { title = 'rsprof: hottest lines', items = items })
    vim.cmd('botright copen')
  end)
end

return M
