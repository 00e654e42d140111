--- `:Rsprof …`: the subcommands and their completion.
local M = {}

---@class rsprof.Subcommand
---@field run fun(args: string[])
---@field complete? fun(): string[]

local view_words = {
  cpu = { metric = 'cpu' },
  heap = { metric = 'heap' },
  both = { metric = 'both' },
  self = { attribution = 'self' },
  total = { attribution = 'total' },
  window = { period = 'window' },
  attach = { period = 'attach' },
}

---@param text string
---@return boolean
local function is_pid(text)
  return text:find('^%d+$') ~= nil and tonumber(text) > 0
end

local function attach(args)
  local session = require('rsprof.session')
  if not args[1] then
    require('rsprof.picker').pick(session.attach)
  elseif is_pid(args[1]) then
    session.attach(tonumber(args[1]))
  else
    require('rsprof.log').error(('%s is no process id: :Rsprof attach [pid]'):format(args[1]))
  end
end

--- The process ids the server knows, if it answers at once.
local function complete_pids()
  local client = require('rsprof.client').get()
  if not client then
    return {}
  end
  local answer = require('rsprof.compat').client_request_sync(client, 'rsprof/listProcesses', {}, 500)
  if not answer or not answer.result then
    return {}
  end
  return vim.tbl_map(function(process)
    return tostring(process.pid)
  end, answer.result.processes)
end

local function set_view(args)
  local change = {}
  for _, word in ipairs(args) do
    if not view_words[word] then
      require('rsprof.log').error(('%s is not one of %s'):format(word, table.concat(vim.tbl_keys(view_words), ', ')))
      return
    end
    change = vim.tbl_extend('force', change, view_words[word])
  end
  require('rsprof.session').set_view(change)
end

---@param module string
---@param name string
---@param ... any
local function call(module, name, ...)
  local args = { ... }
  return function()
    require(module)[name](unpack(args))
  end
end

---@type table<string, rsprof.Subcommand>
local subcommands = {
  attach = { run = attach, complete = complete_pids },
  detach = { run = call('rsprof.session', 'detach') },
  reattach = { run = call('rsprof.session', 'reattach') },
  reset = { run = call('rsprof.session', 'reset') },
  toggle = { run = call('rsprof.draw', 'toggle') },
  metric = {
    run = set_view,
    complete = function()
      return vim.tbl_keys(view_words)
    end,
  },
  next = { run = call('rsprof.navigate', 'step', true) },
  prev = { run = call('rsprof.navigate', 'step', false) },
  hottest = { run = call('rsprof.navigate', 'hottest') },
  hot = {
    run = function(args)
      require('rsprof.navigate').quickfix(tonumber(args[1]))
    end,
  },
  line = { run = call('rsprof.details', 'open') },
  status = { run = call('rsprof.status', 'show') },
  log = { run = call('rsprof.log', 'open') },
}

---@param words string[]
---@param lead string
---@return string[]
local function starting_with(words, lead)
  local found = vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words)
  table.sort(found)
  return found
end

--- Runs a subcommand.
---@param args string[]
function M.run(args)
  local subcommand = subcommands[args[1]]
  if not subcommand then
    local names = table.concat(starting_with(vim.tbl_keys(subcommands), ''), ', ')
    require('rsprof.log').error(('there is no :Rsprof %s, only %s'):format(args[1], names))
    return
  end
  require('rsprof.config').reload()
  require('rsprof.session')
  subcommand.run(vim.list_slice(args, 2))
end

--- Completes the command line.
---@param lead string the word being typed
---@param line string the command line up to the cursor
---@return string[]
function M.complete(lead, line)
  local words = vim.split(line, '%s+')
  if #words == 2 then
    return starting_with(vim.tbl_keys(subcommands), lead)
  end
  local subcommand = subcommands[words[2]]
  return subcommand and subcommand.complete and starting_with(subcommand.complete(), lead) or {}
end

return M
