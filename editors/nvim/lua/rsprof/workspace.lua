--- Which folder is the user's project: it decides what counts as their code.
local M = {}

---@param path string
---@return boolean
local function declares_workspace(path)
  local file = io.open(path, 'r')
  if not file then
    return false
  end
  local text = '\n' .. file:read('*a')
  file:close()
  return text:find('\n%s*%[workspace[%].]') ~= nil
end

--- The folder of the cargo workspace a file belongs to, else of its package, else nil.
---@param file string absolute path
---@return string?
function M.cargo_root(file)
  local package_dir
  local dir = vim.fn.fnamemodify(file, ':h')
  while true do
    local manifest = dir .. '/Cargo.toml'
    if vim.fn.filereadable(manifest) == 1 then
      package_dir = package_dir or dir
      if declares_workspace(manifest) then
        return dir
      end
    end
    local parent = vim.fn.fnamemodify(dir, ':h')
    if parent == dir then
      return package_dir
    end
    dir = parent
  end
end

--- The folders of the user's code, as seen from a buffer.
---@param buf integer
---@return string[]
function M.folders(buf)
  local configured = require('rsprof.config').get().folders
  if configured and #configured > 0 then
    return vim.tbl_map(function(folder)
      return (vim.fn.fnamemodify(vim.fn.expand(folder), ':p'):gsub('(.)/$', '%1'))
    end, configured)
  end
  local name = vim.api.nvim_buf_get_name(buf)
  local own = name ~= '' and not name:find('/%.cargo/') and not name:find('/lib/rustlib/')
  return { own and M.cargo_root(name) or vim.fn.getcwd() }
end

return M
