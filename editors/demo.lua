-- The demo without a terminal: attaches, and prints the annotated source for a few seconds.
-- Run by demo.sh in a headless Neovim that has opened the source.
local pid = vim.env.RSPROF_DEMO_PID

local function annotations()
  local by_line = {}
  for name, namespace in pairs(vim.api.nvim_get_namespaces()) do
    if name:find('^rsprof') then
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
        local text = ''
        for _, chunk in ipairs(mark[4].virt_text or {}) do
          text = text .. chunk[1]
        end
        if text:find('%S') then
          by_line[mark[2] + 1] = text
        end
      end
    end
  end
  return by_line
end

local function print_source()
  local by_line = annotations()
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    io.stdout:write(('%3d  %s%s\n'):format(number, line, by_line[number] or ''))
  end
  io.stdout:write('\n')
end

vim.cmd('Rsprof attach ' .. pid)
local appeared = vim.wait(20000, function()
  return next(annotations()) ~= nil
end, 50)
if not appeared then
  io.stderr:write('demo: no annotation appeared within 20 s. What the editor said:\n' .. vim.fn.execute('messages') .. '\n')
  vim.cmd('cquit 1')
end
for _ = 1, 3 do
  vim.wait(1500, function()
    return false
  end)
  print_source()
end
vim.cmd('qall!')
