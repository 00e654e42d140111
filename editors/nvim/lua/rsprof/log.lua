--- What happened, kept for `:Rsprof log`, and what the user must hear of.
local M = {}

local limit = 500
---@type string[]
local entries = {}

---@param text string
function M.add(text)
  for _, line in ipairs(vim.split(text, '\n', { plain = true, trimempty = true })) do
    table.insert(entries, os.date('%H:%M:%S ') .. line)
  end
  while #entries > limit do
    table.remove(entries, 1)
  end
end

---@param text string
---@param level integer
local function say(text, level)
  M.add(text)
  vim.notify('rsprof: ' .. text, level)
end

---@param text string
function M.info(text)
  say(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  say(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  say(text, vim.log.levels.ERROR)
end

--- Says what a request was refused with, and what the server advises.
---@param err {code?: integer, message?: string, data?: any}
function M.response_error(err)
  local text = err.message or ('error %s'):format(err.code)
  if type(err.data) == 'table' and type(err.data.hint) == 'string' then
    text = ('%s: %s'):format(text:gsub('%.$', ''), err.data.hint)
  end
  M.error(text)
end

--- The last lines that the server wrote to its standard error, which vim.lsp keeps in its own log.
---@return string[]
local function server_stderr()
  local found = {}
  local file = io.open(require('vim.lsp.log').get_filename(), 'r')
  if not file then
    return found
  end
  local command = vim.inspect(require('rsprof.config').command()[1])
  local size = file:seek('end')
  file:seek('set', math.max(0, size - 65536))
  for line in file:lines() do
    local said = line:match('"stderr"%s+"(.*)"$')
    if said and line:find(command, 1, true) then
      vim.list_extend(found, vim.split(said, '\\n', { plain = true, trimempty = true }))
    end
  end
  file:close()
  return found
end

--- Opens a window with the log.
function M.open()
  local lines = vim.list_extend({ '# rsprof: what happened' }, entries)
  table.insert(lines, '')
  table.insert(lines, '# standard error of the server')
  vim.list_extend(lines, server_stderr())
  vim.cmd('botright new')
  local buf = vim.api.nvim_get_current_buf()
  vim.bo[buf].buftype = 'nofile'
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].swapfile = false
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  vim.api.nvim_win_set_cursor(0, { #lines, 0 })
end

return M
