local H = require('harness')

H.use_fake_server()
H.open_sample()
local rsprof = require('rsprof')

--- Sets options over those that the tests need, and draws anew.
local function with(options)
  rsprof.setup(options)
  require('rsprof.draw').refresh_all()
end

local function first_mark()
  local namespace = vim.api.nvim_get_namespaces()['rsprof.text']
  return vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1][4]
end

vim.cmd('Rsprof attach 4242')
H.eventually('the annotations', function()
  return H.marks('text')[2]
end)

H.test('the text can stand at the right edge', function()
  with({ position = 'right_align' })
  H.same('right_align', first_mark().virt_text_pos)
end)

H.test('the text can stand in the line where Neovim can do that, else after it', function()
  with({ position = 'inline' })
  H.same(vim.fn.has('nvim-0.10') == 1 and 'inline' or 'eol', first_mark().virt_text_pos)
end)

H.test('the text can start in a column, which long lines pass', function()
  with({ column = 20 })
  local shown = first_mark().virt_text[1][1]
  H.same((' '):rep(20 - #'line 2' - 1) .. '38.2%  12.0 MiB', shown)
  vim.api.nvim_buf_set_lines(0, 2, 3, false, { ('x'):rep(30) })
  H.eventually('the text moving on', function()
    return first_mark().virt_text[1][1] == ' 38.2%  12.0 MiB'
  end)
end)

H.test('text on the line of the cursor only', function()
  with({ text = 'line' })
  vim.api.nvim_win_set_cursor(0, { 5, 0 })
  vim.api.nvim_exec_autocmds('CursorMoved', { buffer = 0 })
  H.same({ [4] = '11.5%' }, H.marks('text'))
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.api.nvim_exec_autocmds('CursorMoved', { buffer = 0 })
  H.same({}, H.marks('text'))
  H.same(3, vim.tbl_count(H.marks('sign')))
end)

H.test('the sign column can stay empty, and so can the text', function()
  with({ signs = false })
  H.same({}, H.marks('sign'))
  with({ text = 'off' })
  H.same({}, H.marks('text'))
  H.same(3, vim.tbl_count(H.marks('sign')))
end)

H.test('the groups link to groups of the colour scheme, unless the user defines them', function()
  assert(vim.fn.synIDtrans(vim.fn.hlID('RsprofHeat1')) == vim.fn.synIDtrans(vim.fn.hlID('Comment')))
  vim.cmd('highlight RsprofHeat4 guifg=#123456')
  vim.cmd('doautocmd ColorScheme')
  H.same('#123456', vim.fn.synIDattr(vim.fn.synIDtrans(vim.fn.hlID('RsprofHeat4')), 'fg#', 'gui'))
end)

H.test('an option that is wrong is told, and keeps its default', function()
  with({ position = 'left', colour = 'red', column = 'ten', source_map = { '/build' } })
  H.said('position must be one of eol, right_align, inline')
  H.said('there is no option colour')
  H.said('source_map holds FROM=TO, not "/build"')
  H.said('column must be a number or auto')
  H.same('eol', require('rsprof.config').get().position)
  with({})
end)

H.test('a server that is not installed is said with what to do', function()
  vim.cmd('Rsprof detach')
  H.eventually('the end', function()
    return not H.client()
  end)
  rsprof.setup({ server = '/nowhere/rsprof' })
  vim.cmd('Rsprof attach 4242')
  H.said('cannot run /nowhere/rsprof: install rsprof, or set vim.g.rsprof')
end)

H.test('a server that ends at once is said', function()
  rsprof.setup({ server = { 'false' } })
  vim.cmd('Rsprof attach 4242')
  H.said('the server has ended (code 1)')
end)

H.test('a server that never answers is given up', function()
  require('rsprof.client').handshake_ms = 100
  rsprof.setup({ server = { 'sleep', '60' } })
  vim.cmd('Rsprof attach 4242')
  H.said('the server does not answer')
  assert(not require('rsprof.client').running())
  require('rsprof.client').handshake_ms = 10000
end)

H.test('an executable that comes back is attached to again', function()
  rsprof.setup({ auto_reattach = true })
  local attached = 0
  vim.api.nvim_create_autocmd('User', {
    pattern = 'RsprofAttach',
    callback = function()
      attached = attached + 1
    end,
  })
  vim.cmd('Rsprof attach 4242')
  H.eventually('the annotations', function()
    return attached == 1 and require('rsprof.session').state() == 'running'
  end)
  H.send({
    method = 'rsprof/status',
    params = vim.tbl_extend('force', require('rsprof.session').status(), { state = 'lost' }),
  })
  H.said('waiting for it to come back')
  H.eventually('the second attach', function()
    return attached == 2
  end)
end)
