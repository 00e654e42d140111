--- `:checkhealth rsprof`: is the server there, what does it lack (`rsprof doctor`), and does the build say its lines.
local client = require('rsprof.client')
local compat = require('rsprof.compat')
local config = require('rsprof.config')
local workspace = require('rsprof.workspace')

local M = {}

local function check_options(report)
  local complaints = config.complaints()
  for _, complaint in ipairs(complaints) do
    report.warn(complaint)
  end
  if #complaints == 0 then
    report.ok('options')
  end
end

---@return boolean whether the server can be run
local function check_server(report)
  local command = config.command()
  local path = vim.fn.exepath(command[1])
  if path == '' then
    report.error(('cannot run %s'):format(command[1]), {
      'Put rsprof on PATH, or set vim.g.rsprof = { server = "/path/to/rsprof" }',
    })
    return false
  end
  report.ok(('server: %s'):format(path))
  if type(config.get().server) == 'string' then
    local version = vim.trim(vim.fn.system({ path, '--version' }))
    if vim.v.shell_error == 0 then
      report.ok(('version: %s'):format(version))
    else
      report.error(('%s --version failed: %s'):format(path, version))
    end
  end
  return true
end

--- The server run with other arguments than `serve`.
---@param arguments string[]
---@return string[]
local function server_command(arguments)
  local command = vim.deepcopy(config.command())
  if command[#command] == 'serve' then
    table.remove(command)
  end
  return vim.list_extend(command, arguments)
end

---@return integer? pid of the process that is attached to
local function attached_pid()
  local status = client.running() and require('rsprof.session').status()
  return status and status.pid > 0 and status.pid or nil
end

--- What the server says of this machine, and of the process it is attached to.
local function check_machine(report)
  local pid = attached_pid()
  local output = vim.fn.system(server_command({ 'doctor', '--json', pid and tostring(pid) or nil }))
  local parsed, answer = pcall(vim.fn.json_decode, output)
  if not parsed or type(answer) ~= 'table' or not answer.checks then
    report.error('rsprof doctor failed: ' .. vim.trim(output))
    return
  end
  local tell = { ok = report.ok, warn = report.warn, fail = report.error }
  for _, check in ipairs(answer.checks) do
    tell[check.state](('%s: %s'):format(check.name, check.seen), check.remedy ~= '' and { check.remedy } or nil)
  end
end

--- Whether a cargo profile of the release build asks for line information.
---@param manifest string
---@return boolean
local function asks_for_lines(manifest)
  local in_release = false
  for line in io.lines(manifest) do
    local section = line:match('^%s*%[(.-)%]')
    if section then
      in_release = section == 'profile.release'
    elseif in_release then
      local value = line:match('^%s*debug%s*=%s*"?([%w-]+)')
      if value then
        return value ~= 'false' and value ~= '0' and value ~= 'none'
      end
    end
  end
  return false
end

--- A file of the project: the report itself is the current buffer.
---@return string
local function project_file()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buf)
    if name:find('%.rs$') and not name:find('/%.cargo/') then
      return name
    end
  end
  return vim.fn.getcwd() .. '/.'
end

local function check_build(report)
  local root = workspace.cargo_root(project_file())
  if not root then
    report.info('build: no cargo package is open here')
  elseif asks_for_lines(root .. '/Cargo.toml') then
    report.ok('build: release builds say their lines')
  else
    report.warn(('build: %s/Cargo.toml does not ask for line information in release builds'):format(root), {
      'Add: [profile.release] debug = "line-tables-only"',
    })
  end
end

local function check_session(report)
  if not client.running() then
    report.info('session: none; :Rsprof attach starts one')
    return
  end
  local session = require('rsprof.session')
  local status = session.status()
  report.ok('session: ' .. session.state())
  for _, hint in ipairs(status and status.hints or {}) do
    report.warn(hint)
  end
end

function M.check()
  local report = compat.health()
  config.reload()
  report.start('rsprof')
  check_options(report)
  if check_server(report) then
    check_machine(report)
  end
  check_build(report)
  check_session(report)
end

return M
