local H = require('harness')

H.use_fake_server()
local dir = H.open_sample()

local function health()
  vim.cmd('checkhealth rsprof')
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  vim.cmd('bwipeout')
  vim.cmd('edit ' .. dir .. '/src/main.rs')
  return text
end

local function contains(text, part)
  assert(text:find(part, 1, true), ('%q is not in:\n%s'):format(part, text))
end

H.test('the health report has what the server says of this machine, and what mends it', function()
  local text = health()
  contains(text, 'server: ')
  contains(text, 'kernel: Linux 6.1')
  contains(text, 'ERROR')
  contains(text, 'capabilities: none')
  contains(text, 'sudo setcap all+ep rsprof')
  contains(text, 'session: none')
end)

H.test('the health report asks for line information where the build has none', function()
  contains(health(), 'debug = "line-tables-only"')
  vim.fn.writefile({ '[package]', '[profile.release]', 'debug = "line-tables-only"' }, dir .. '/Cargo.toml')
  contains(health(), 'release builds say their lines')
end)

H.test('the health report says how to name a server that is missing', function()
  vim.g.rsprof = { server = '/nowhere/rsprof' }
  contains(health(), 'cannot run /nowhere/rsprof')
  H.use_fake_server()
end)

H.test('the health report names options that do not exist', function()
  require('rsprof.config').setup({ colour = 'red' })
  contains(health(), 'there is no option colour')
  require('rsprof.config').setup({})
end)

local tags_dir = vim.fn.tempname()
vim.fn.mkdir(tags_dir .. '/doc', 'p')
vim.fn.writefile(vim.fn.readfile(H.plugin .. '/doc/rsprof.txt'), tags_dir .. '/doc/rsprof.txt')
vim.cmd('helptags ' .. tags_dir .. '/doc')
local help = table.concat(vim.fn.readfile(tags_dir .. '/doc/rsprof.txt'), '\n')
local tags = {}
for _, line in ipairs(vim.fn.readfile(tags_dir .. '/doc/tags')) do
  tags[line:match('^[^\t]+')] = true
end

H.test('every subcommand has its help', function()
  for _, name in ipairs(vim.fn.getcompletion('Rsprof ', 'cmdline')) do
    assert(tags[':Rsprof-' .. name], name)
  end
end)

H.test('every option has its help, with the default that it has', function()
  for name, default in pairs(require('rsprof.config').defaults) do
    local shown = type(default) == 'table' and '{}' or type(default) == 'string' and vim.inspect(default):gsub('"', "'")
    shown = shown or tostring(default)
    contains(help, ('%s = %s'):format(name, shown))
  end
end)

H.test('every mapping and every highlight group has its help', function()
  local maps = vim.api.nvim_get_keymap('n')
  local count = 0
  for _, map in ipairs(maps) do
    if map.lhs:find('rsprof-', 1, true) then
      count = count + 1
      assert(tags[map.lhs], map.lhs)
    end
  end
  assert(count > 0)
  require('rsprof.highlight').define()
  for _, group in ipairs(vim.fn.getcompletion('Rsprof', 'highlight')) do
    assert(tags['hl-' .. group], group)
  end
end)

H.test('the folder works as a native package', function()
  local packages = vim.fn.tempname()
  vim.fn.mkdir(packages .. '/pack/any/start', 'p')
  assert(vim.loop.fs_symlink(H.plugin, packages .. '/pack/any/start/rsprof'))
  local out = vim.fn.system({
    vim.v.progpath,
    '--headless',
    '--clean',
    '--cmd',
    'set packpath^=' .. packages,
    '-c',
    'echo exists(":Rsprof") len(getcompletion("Rsprof ", "cmdline"))',
    '-c',
    'qall!',
  })
  contains(out, '2 13')
end)

H.test('every reference in the help leads somewhere', function()
  vim.opt.runtimepath:append(tags_dir)
  for tag in help:gmatch('|([^|%s]+)|') do
    assert(#vim.fn.getcompletion(tag, 'help') > 0, tag)
  end
end)
