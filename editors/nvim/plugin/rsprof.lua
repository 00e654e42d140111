-- The door: one command and the <Plug> mappings. Nothing else is loaded before one of them is used.
if vim.g.loaded_rsprof or vim.fn.has('nvim-0.7') == 0 then
  return
end
vim.g.loaded_rsprof = true

vim.api.nvim_create_user_command('Rsprof', function(opts)
  require('rsprof.commands').run(opts.fargs)
end, {
  nargs = '+',
  desc = 'Profile a running Rust process on the lines of its source',
  complete = function(lead, line, cursor)
    return require('rsprof.commands').complete(lead, line:sub(1, cursor))
  end,
})

local mapped = { 'attach', 'detach', 'reattach', 'reset', 'toggle', 'next', 'prev', 'hottest', 'hot', 'line' }
for _, name in ipairs(mapped) do
  vim.keymap.set('n', '<Plug>(rsprof-' .. name .. ')', function()
    require('rsprof.commands').run({ name })
  end, { desc = 'rsprof: ' .. name })
end
