--- The connection to the server: one process, started when it is first needed, attached to every Rust buffer.
--- vim.lsp carries the messages and keeps the server's documents in step with the buffers.
local compat = require('rsprof.compat')
local config = require('rsprof.config')
local log = require('rsprof.log')

local M = {}

---@class rsprof.Connection
---@field id integer? of the client of vim.lsp
---@field ready boolean the handshake is done
---@field waiting fun()[] what is to be sent after the handshake

---@type rsprof.Connection?
local connection
---@type table<string, fun(params: table)>
local handlers = {}
---@type fun(buf: integer)[]
local on_buffer = {}
---@type fun()[]
local on_gone = {}

--- Calls `handler` for each notification of this name.
---@param method string
---@param handler fun(params: table)
function M.on(method, handler)
  handlers[method] = handler
end

--- Calls `handler` for each buffer that the server learns of.
---@param handler fun(buf: integer)
function M.on_buffer(handler)
  table.insert(on_buffer, handler)
end

--- Calls `handler` when the server has ended, for whatever reason.
---@param handler fun()
function M.on_gone(handler)
  table.insert(on_gone, handler)
end

---@return table? client of vim.lsp
function M.get()
  return connection and vim.lsp.get_client_by_id(connection.id) or nil
end

---@return boolean
function M.running()
  return connection ~= nil
end

---@param buf integer
---@return boolean
local function is_rust_file(buf)
  return vim.api.nvim_buf_is_loaded(buf)
    and vim.bo[buf].buftype == ''
    and vim.api.nvim_buf_get_name(buf):find('%.rs$') ~= nil
end

---@param buf integer
local function attach_buffer(buf)
  if not connection or not is_rust_file(buf) or vim.lsp.buf_is_attached(buf, connection.id) then
    return
  end
  for _, handler in ipairs(on_buffer) do
    handler(buf)
  end
  vim.lsp.buf_attach_client(buf, connection.id)
end

local function attach_buffers()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    attach_buffer(buf)
  end
  vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'BufFilePost', 'BufEnter' }, {
    group = vim.api.nvim_create_augroup('rsprof.client', {}),
    pattern = '*.rs',
    callback = function(event)
      attach_buffer(event.buf)
    end,
  })
end

---@param this rsprof.Connection
local function on_init(this)
  vim.schedule(function()
    this.ready = true
    for _, call in ipairs(this.waiting) do
      call()
    end
    this.waiting = {}
  end)
end

--- How long a server may take for the handshake.
M.handshake_ms = 10000

--- The connection is no more: what depends on it is told.
local function close()
  connection = nil
  pcall(vim.api.nvim_del_augroup_by_name, 'rsprof.client')
  for _, handler in ipairs(on_gone) do
    handler()
  end
end

--- A server that does not finish the handshake is given up: nothing else would ever be answered.
---@param this rsprof.Connection
local function expect_handshake(this)
  vim.defer_fn(function()
    if this == connection and not this.ready then
      log.error('the server does not answer, or refuses the options: see :Rsprof log')
      M.stop()
    end
  end, M.handshake_ms)
end

---@param this rsprof.Connection
local function on_exit(this, code, signal)
  vim.schedule(function()
    if this == connection then
      local how = signal ~= 0 and ('signal %d'):format(signal) or ('code %d'):format(code)
      log.error(('the server has ended (%s): see :Rsprof log'):format(how))
      close()
    end
  end)
end

--- vim.lsp's handlers for ours: a notification goes to whoever asked for it by M.on().
---@param this rsprof.Connection
local function lsp_handlers(this)
  local result = {}
  for method, handler in pairs(handlers) do
    result[method] = function(err, params, ...)
      if this == connection and not err and type(params) == 'table' then
        handler(params)
      end
      local default = vim.lsp.handlers[method]
      if default then
        return default(err, params, ...)
      end
    end
  end
  return result
end

---@param this rsprof.Connection
---@param folders string[]
---@return table
local function client_config(this, folders)
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.experimental = { rsprof = { annotations = true } }
  return {
    name = 'rsprof',
    cmd = config.command(),
    root_dir = folders[1],
    workspace_folders = vim.tbl_map(function(folder)
      return { uri = vim.uri_from_fname(folder), name = vim.fn.fnamemodify(folder, ':t') }
    end, folders),
    capabilities = capabilities,
    init_options = config.initialization_options(),
    handlers = lsp_handlers(this),
    on_init = function()
      on_init(this)
    end,
    on_exit = function(code, signal)
      on_exit(this, code, signal)
    end,
  }
end

---@return rsprof.Connection?
local function start()
  local command = config.command()
  if vim.fn.executable(command[1]) == 0 then
    local advice = 'install rsprof, or set vim.g.rsprof = { server = "/path/to/rsprof" }'
    log.error(('cannot run %s: %s'):format(command[1], advice))
    return nil
  end
  local folders = require('rsprof.workspace').folders(vim.api.nvim_get_current_buf())
  log.add('starting ' .. table.concat(command, ' ') .. ' for ' .. table.concat(folders, ', '))
  ---@type rsprof.Connection
  local this = { ready = false, waiting = {} }
  this.id = compat.client_start(client_config(this, folders))
  if not this.id then
    log.error(('could not start %s: see :Rsprof log'):format(command[1]))
    return nil
  end
  connection = this
  expect_handshake(this)
  attach_buffers()
  return this
end

--- Asks the server, starting it first where it does not run. A refusal is shown to the user; `done` hears of answers
--- only.
---@param method string
---@param params table
---@param done? fun(result: any)
---@param buf? integer its pending edits are sent first
function M.request(method, params, done, buf)
  local this = connection or start()
  if not this then
    return
  end
  local function send()
    local client = M.get()
    if this ~= connection or not client then
      return
    end
    compat.client_request(client, method, params, function(err, result)
      if err then
        log.response_error(err)
      elseif done then
        done(result ~= vim.NIL and result or nil)
      end
    end, buf or vim.api.nvim_get_current_buf())
  end
  if this.ready then
    send()
  else
    table.insert(this.waiting, send)
  end
end

--- Ends the server.
function M.stop()
  local client = M.get()
  if client then
    close()
    compat.client_stop(client)
  end
end

return M
