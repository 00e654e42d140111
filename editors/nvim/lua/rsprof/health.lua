--- `:checkhealth rsprof`: is the server there, may it sample on this machine, and does the build say its lines.
local client = require('rsprof.client')
local compat = require('rsprof.compat')
local config = require('rsprof.config')
local workspace = require('rsprof.workspace')

local M = {}

local setcap = 'sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep '

---@param path string
---@return string? first line
local function first_line(path)
  local file = io.open(path, 'r')
  local line = file and file:read('*l')
  if file then
    file:close()
  end
  return line or nil
end

local function check_options(report)
  local complaints = config.complaints()
  for _, complaint in ipairs(complaints) do
    report.warn(complaint)
  end
  if #complaints == 0 then
    report.ok('options')
  end
end

---@return string? path of the server
local function check_server(report)
  local command = config.command()
  local path = vim.fn.exepath(command[1])
  if path == '' then
    report.error(('cannot run %s'):format(command[1]), {
      'Put rsprof on PATH, or set vim.g.rsprof = { server = "/path/to/rsprof" }',
    })
    return nil
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
  return path
end

local function check_kernel(report)
  local system = vim.loop.os_uname()
  local major, minor = system.release:match('^(%d+)%.(%d+)')
  if system.sysname ~= 'Linux' or not major then
    report.error('rsprof profiles processes on Linux only; here runs ' .. system.sysname)
    return
  end
  local number = tonumber(major) * 1000 + tonumber(minor)
  if number >= 6001 then
    report.ok('kernel: ' .. system.release)
  elseif number >= 5015 then
    report.warn('kernel: ' .. system.release, { 'CPU works; for everything use Linux 6.1 or newer' })
  else
    report.error('kernel: ' .. system.release, { 'Use Linux 6.1 or newer' })
  end
  if vim.fn.filereadable('/sys/kernel/btf/vmlinux') == 0 then
    report.error('the kernel does not describe its types (BTF)', { 'Use a kernel built with CONFIG_DEBUG_INFO_BTF=y' })
  end
end

---@param path string
---@return boolean? nil when it cannot be known
local function has_capabilities(path)
  if vim.fn.executable('getcap') == 0 then
    return nil
  end
  local capabilities = vim.fn.system({ 'getcap', vim.loop.fs_realpath(path) or path })
  return capabilities:find('cap_bpf') ~= nil and capabilities:find('cap_perfmon') ~= nil
end

---@param path string
local function check_rights(report, path)
  if vim.loop.getuid() == 0 then
    report.ok('rights: root')
    return
  end
  local capable = has_capabilities(path)
  if capable then
    report.ok('rights: file capabilities')
  else
    report.warn(
      capable == nil and 'rights: getcap is missing, so it cannot be told' or 'rights: an ordinary user',
      { 'To sample your own processes: ' .. setcap .. (vim.loop.fs_realpath(path) or path) }
    )
  end
  local paranoid = tonumber(first_line('/proc/sys/kernel/perf_event_paranoid'))
  if paranoid and paranoid > 2 and not capable then
    report.warn(('kernel.perf_event_paranoid is %d: without capabilities nothing can be sampled'):format(paranoid))
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
  check_kernel(report)
  local path = check_server(report)
  if path then
    check_rights(report, path)
  end
  check_build(report)
  check_session(report)
end

return M
