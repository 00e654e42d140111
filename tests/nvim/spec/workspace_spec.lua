local H = require('harness')
local workspace = require('rsprof.workspace')

local dir = vim.fn.tempname()
vim.fn.mkdir(dir .. '/crates/inner/src', 'p')
vim.fn.mkdir(dir .. '/.cargo/registry/src/dep/src', 'p')
local inner = dir .. '/crates/inner'

H.test('a file without a manifest has no cargo root', function()
  H.same(nil, workspace.cargo_root(inner .. '/src/lib.rs'))
end)

H.test('a package is its own root', function()
  vim.fn.writefile({ '[package]', 'name = "inner"' }, inner .. '/Cargo.toml')
  H.same(inner, workspace.cargo_root(inner .. '/src/lib.rs'))
end)

H.test('a workspace around the package is the root', function()
  vim.fn.writefile({ '# the lot', '[workspace]', 'members = ["crates/*"]' }, dir .. '/Cargo.toml')
  H.same(dir, workspace.cargo_root(inner .. '/src/lib.rs'))
end)

H.test('a file of a dependency does not make the dependency your code', function()
  vim.fn.writefile({ '[package]' }, dir .. '/.cargo/registry/src/dep/Cargo.toml')
  vim.cmd('edit ' .. dir .. '/.cargo/registry/src/dep/src/lib.rs')
  H.same({ vim.fn.getcwd() }, workspace.folders(0))
end)

H.test('folders can be set', function()
  require('rsprof').setup({ folders = { dir .. '/' } })
  H.same({ dir }, workspace.folders(0))
end)
