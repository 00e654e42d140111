--- The differences between Neovim 0.7 and today, each behind one function.
local M = {}

---@param version string for example '0.10'
local function has(version)
  return vim.fn.has('nvim-' .. version) == 1
end

--- Whether virtual text can stand inside a line.
M.has_inline_text = has('0.10')

--- The events after which windows may have another size.
M.window_events = { 'VimResized', 'BufWinEnter', 'WinNew', 'WinClosed' }
if has('0.9') then
  table.insert(M.window_events, 'WinResized')
end

--- Starts a language server that is attached to no buffer yet.
---@param config table as for vim.lsp.start_client()
---@return integer? id nil when the server could not be started
function M.client_start(config)
  if not has('0.11') then
    return vim.lsp.start_client(config)
  end
  return vim.lsp.start(config, {
    attach = false,
    reuse_client = function()
      return false
    end,
  })
end

---@param client table
---@param method string
---@param params table
---@param done fun(err: table?, result: any)
---@param buf integer pending edits of this buffer are sent first
---@return boolean sent
function M.client_request(client, method, params, done, buf)
  if has('0.11') then
    return (client:request(method, params, done, buf))
  end
  return (client.request(method, params, done, buf))
end

---@param client table
---@param method string
---@param params table
---@param timeout_ms integer
---@return {err?: table, result?: any}?
function M.client_request_sync(client, method, params, timeout_ms)
  if has('0.11') then
    return client:request_sync(method, params, timeout_ms)
  end
  return client.request_sync(method, params, timeout_ms, vim.api.nvim_get_current_buf())
end

---@param client table
function M.client_stop(client)
  if has('0.11') then
    client:stop()
  else
    client.stop()
  end
end

--- Fires `User {name}`. Neovim 0.8 and newer pass `data` to the autocommand.
---@param name string
---@param data table
function M.user_event(name, data)
  local opts = { pattern = name, modeline = false }
  if has('0.8') then
    opts.data = data
  end
  vim.api.nvim_exec_autocmds('User', opts)
end

--- The functions of a health report by their newer names.
---@return table
function M.health()
  if has('0.10') then
    return vim.health
  end
  local old = has('0.8') and vim.health or require('health')
  return {
    start = old.report_start,
    ok = old.report_ok,
    warn = old.report_warn,
    error = old.report_error,
    info = old.report_info,
  }
end

return M
