--- Finds the process of an executable that was profiled before, now or as soon as it comes back: the edit–run loop.
local client = require('rsprof.client')
local methods = require('rsprof.protocol').methods

local M = {}

local poll_ms = 1000
---@type any luv timer
local timer

--- A rebuilt executable: the kernel adds this to the name of one that was replaced while it ran.
---@param exe string
---@return string
local function plain_name(exe)
  return (exe:gsub(' %(deleted%)$', ''))
end

--- Looks for the youngest process of an executable.
---@param exe string
---@param done fun(process: rsprof.Process?)
function M.find(exe, done)
  client.request(methods.list_processes, { all = true }, function(result)
    ---@type rsprof.Process?
    local youngest
    for _, process in ipairs(result.processes) do
      if plain_name(process.exe) == plain_name(exe) and (not youngest or process.uptimeSec < youngest.uptimeSec) then
        youngest = process
      end
    end
    done(youngest)
  end)
end

--- Stops waiting.
function M.cancel()
  if timer then
    timer:stop()
    timer:close()
    timer = nil
  end
end

--- Attaches as soon as the executable runs again.
---@param exe string
function M.wait_for(exe)
  M.cancel()
  local asking = false
  timer = vim.loop.new_timer()
  timer:start(
    poll_ms,
    poll_ms,
    vim.schedule_wrap(function()
      if not timer or not client.running() then
        M.cancel()
        return
      end
      if asking then
        return
      end
      asking = true
      M.find(exe, function(process)
        asking = false
        if process and timer then
          require('rsprof.session').attach(process.pid)
        end
      end)
    end)
  )
end

return M
