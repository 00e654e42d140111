--- What other parts of a configuration may call. Nothing needs to be called for `:Rsprof` to work.
local M = {}

--- Sets options, as `vim.g.rsprof` does: `:help rsprof-options`.
---@param options? table
function M.setup(options)
  require('rsprof.config').setup(options)
end

--- The session in a few words, for a status line; empty while nothing is attached, and costs nothing then.
---@return string
function M.statusline()
  local status = package.loaded['rsprof.session'] and require('rsprof.status')
  return status and status.line() or ''
end

--- Attaches to a process, or asks for one.
---@param pid? integer
function M.attach(pid)
  require('rsprof.commands').run({ 'attach', pid and tostring(pid) })
end

--- Leaves the process.
function M.detach()
  require('rsprof.commands').run({ 'detach' })
end

return M
