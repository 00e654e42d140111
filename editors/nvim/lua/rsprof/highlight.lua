--- Highlight groups, by how hot a line is. They link to groups of the colour scheme, and a user's own definition wins.
local M = {}

local groups = {
  RsprofHeat1 = 'Comment',
  RsprofHeat2 = 'Directory',
  RsprofHeat3 = 'WarningMsg',
  RsprofHeat4 = 'DiagnosticError',
  RsprofSign1 = 'RsprofHeat1',
  RsprofSign2 = 'RsprofHeat2',
  RsprofSign3 = 'RsprofHeat3',
  RsprofSign4 = 'RsprofHeat4',
  RsprofStale = 'Comment',
}

function M.define()
  for name, link in pairs(groups) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

--- The level of a heat of 0…1.
---@param heat number
---@return 1|2|3|4
function M.level(heat)
  if heat >= 0.6 then
    return 4
  elseif heat >= 0.25 then
    return 3
  elseif heat >= 0.05 then
    return 2
  end
  return 1
end

return M
