--- The one profiling session of this editor: what it is attached to, and what the server says about it.
local annotations = require('rsprof.annotations')
local client = require('rsprof.client')
local compat = require('rsprof.compat')
local config = require('rsprof.config')
local draw = require('rsprof.draw')
local log = require('rsprof.log')
local methods = require('rsprof.protocol').methods
local progress_token = require('rsprof.protocol').progress_token

local M = {}

---@type rsprof.StatusParams?
local status
---@type rsprof.AttachResult?
local last
---@type string?
local progress
--- Whether the user's last word was to attach: an attach may follow a detach that is not answered yet.
local wants_attached = false
---@type table<string, boolean>
local told_hints = {}

---@return rsprof.StatusParams?
function M.status()
  return status
end

--- What symbols are still being loaded, in words.
---@return string?
function M.progress()
  return progress
end

---@return rsprof.State
function M.state()
  return status and status.state or 'detached'
end

---@param exe string
---@return string
local function base_name(exe)
  return vim.fn.fnamemodify(exe, ':t')
end

local function on_lost()
  local pid = last and last.pid or status.pid
  local exe = last and last.exe or status.exe
  local next_step = ':Rsprof detach clears up'
  if config.get().auto_reattach then
    next_step = 'waiting for it to come back'
    require('rsprof.reattach').wait_for(exe)
  end
  log.warn(('process %d (%s) has ended; %s'):format(pid, base_name(exe), next_step))
  compat.user_event('RsprofLost', { pid = pid, exe = exe })
end

local function on_detached()
  told_hints = {}
  compat.user_event('RsprofDetach', {})
end

--- Hints are long, and come while the user types: they are counted in a line that fits, once, and kept in the log.
---@param params rsprof.StatusParams
local function tell_new_hints(params)
  local new = 0
  for _, hint in ipairs(params.hints) do
    if not told_hints[hint] then
      told_hints[hint] = true
      new = new + 1
      log.add('hint: ' .. hint)
    end
  end
  if new > 0 then
    log.info(('%d new hint%s, see :Rsprof status'):format(new, new > 1 and 's' or ''))
  end
end

---@param params rsprof.StatusParams
local function on_status(params)
  local before = M.state()
  status = params
  tell_new_hints(params)
  if params.state ~= before then
    log.add(('%s → %s'):format(before, params.state))
    if params.state == 'lost' then
      on_lost()
    elseif params.state == 'detached' then
      on_detached()
    end
  end
  if params.state == 'running' then
    annotations.remember()
  end
  compat.user_event('RsprofUpdate', { status = params })
end

local function on_progress(params)
  if params.token ~= progress_token then
    return
  end
  local value = params.value
  if value.kind == 'end' then
    progress = nil
  else
    local percentage = value.percentage and (' %d%%'):format(value.percentage) or ''
    progress = (value.title or 'loading symbols') .. percentage
  end
  compat.user_event('RsprofUpdate', { status = status })
end

local function on_gone()
  annotations.clear()
  progress, told_hints = nil, {}
  if M.state() ~= 'detached' then
    status = nil
    on_detached()
  end
  status = nil
end

--- Attaches to a process.
---@param pid integer
function M.attach(pid)
  require('rsprof.reattach').cancel()
  wants_attached = true
  client.request(methods.set_view, config.view())
  client.request(methods.attach, config.attach_params(pid), function(result)
    last = result
    log.info(('attached to process %d (%s)'):format(result.pid, base_name(result.exe)))
    compat.user_event('RsprofAttach', { pid = result.pid, exe = result.exe })
  end)
end

--- Detaches, and ends the server: nothing is left running.
function M.detach()
  require('rsprof.reattach').cancel()
  if not client.running() then
    log.info('not attached')
    return
  end
  wants_attached = false
  client.request(methods.detach, {}, function()
    log.info('detached')
    if not wants_attached then
      client.stop()
    end
  end)
end

--- Attaches again to the process of before, or to a newer one of the same executable.
function M.reattach()
  if not last then
    log.warn('nothing to re-attach to yet: use :Rsprof attach')
    return
  end
  require('rsprof.reattach').find(last.exe, function(process)
    if process then
      M.attach(process.pid)
    else
      log.warn(('%s is not running: start it, then :Rsprof reattach'):format(base_name(last.exe)))
    end
  end)
end

--- Starts all CPU counts anew.
function M.reset()
  client.request(methods.reset, {}, function()
    log.info('CPU counts start anew')
  end)
end

--- Changes what labels and heat show.
---@param change rsprof.View
function M.set_view(change)
  config.choose_view(change)
  local view = config.view()
  client.request(methods.set_view, view, function()
    local period = view.period == 'attach' and 'since attach' or ('last %g s'):format(config.get().window_sec)
    local metric = view.metric == 'both' and 'CPU and heap' or view.metric == 'cpu' and 'CPU' or 'heap'
    log.info(('showing %s, %s, %s'):format(metric, view.attribution, period))
  end)
end

--- The metric that decides what is hot.
---@return 'cpu'|'heap'
function M.metric()
  return config.view().metric == 'heap' and 'heap' or 'cpu'
end

annotations.observe({
  changed = function(buf)
    draw.refresh(buf)
  end,
  dropped = draw.drop,
})
client.on(methods.annotations, function(params)
  annotations.receive(params)
  compat.user_event('RsprofUpdate', { status = status })
end)
client.on(methods.status, on_status)
client.on(methods.progress, on_progress)
client.on_buffer(annotations.track)
client.on_gone(on_gone)
draw.enable()

return M
