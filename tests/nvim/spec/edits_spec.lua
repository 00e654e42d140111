local H = require('harness')

local function feed(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt', false)
end

local function version()
  return vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()]
end

local function reset_text()
  vim.cmd('edit!')
  H.annotate(version(), {
    H.annotation(2, 1, 'two'),
    H.annotation(4, 0.3, 'four'),
    H.annotation(5, 0.01, 'five'),
  })
  H.eventually_marks('text', { [2] = 'two', [4] = 'four', [5] = 'five' })
end

H.use_fake_server()
H.open_sample()
vim.cmd('Rsprof attach 4242')
H.said('attached')

local function edit(name, keys, expected)
  H.test(name, function()
    reset_text()
    feed(keys)
    H.eventually_marks('text', expected)
    local signs = vim.tbl_keys(H.marks('sign'))
    local lines = vim.tbl_keys(expected)
    table.sort(signs)
    table.sort(lines)
    H.same(lines, signs)
  end)
end

edit('a line opened above moves them', 'ggOnew<Esc>', { [3] = 'two', [5] = 'four', [6] = 'five' })
edit('a line opened right above takes nothing', '3GOnew<Esc>', { [3] = 'two', [5] = 'four', [6] = 'five' })
edit('a line opened right below leaves it', '3Gonew<Esc>', { [2] = 'two', [5] = 'four', [6] = 'five' })
edit('a line broken at its start moves with its text', '3G0i<CR><Esc>', { [3] = 'two', [5] = 'four', [6] = 'five' })
edit('a line broken in its middle keeps its start', '3G0lli<CR><Esc>', { [2] = 'two', [5] = 'four', [6] = 'five' })
edit('a deleted line loses its own', '5Gdd', { [2] = 'two', [4] = 'five' })
edit('a joined line loses its own', '4GJ', { [2] = 'two', [4] = 'five' })
edit('deleted lines lose theirs', '3G4dd', {})
edit('a changed line keeps it', '3Gccother<Esc>', { [2] = 'two', [4] = 'four', [5] = 'five' })
edit('an emptied buffer holds none', 'ggdG', {})
edit('undo of an insertion moves them back', 'ggOnew<Esc>u', { [2] = 'two', [4] = 'four', [5] = 'five' })

H.test('lines written anew keep theirs', function()
  reset_text()
  vim.api.nvim_buf_set_lines(
    0,
    0,
    -1,
    false,
    vim.tbl_map(function(text)
      return '  ' .. text .. ';'
    end, vim.api.nvim_buf_get_lines(0, 0, -1, false))
  )
  H.eventually_marks('text', { [2] = 'two', [4] = 'four', [5] = 'five' })
  H.same({ 2, 4, 5 }, vim.fn.sort(vim.tbl_keys(H.marks('sign'))))
end)

H.test('numbers for an older text land on the lines that those lines have become', function()
  reset_text()
  local before = version()
  feed('ggOone<CR>two<Esc>')
  feed('7Gdd') -- the line that was 4
  H.annotate(before, { H.annotation(2, 1, 'two again'), H.annotation(4, 1, 'gone'), H.annotation(5, 1, 'five again') })
  H.eventually_marks('text', { [4] = 'two again', [6] = 'five again' })
end)

H.test('a line beyond the end of the buffer is not drawn', function()
  reset_text()
  H.annotate(version(), { H.annotation(2, 1, 'two'), H.annotation(4000, 1, 'far') })
  H.eventually_marks('text', { [2] = 'two' })
end)

H.test('the server learns of every edit', function()
  vim.api.nvim_buf_set_lines(0, 1, 1, false, { 'for the server' })
  H.eventually('didChange', function()
    local changes = H.received('textDocument/didChange')
    local last = changes[#changes]
    return last and vim.inspect(last.params.contentChanges):find('for the server') ~= nil
  end)
end)

H.test('marks that look the same are not drawn again', function()
  reset_text()
  local calls = 0
  local original = vim.api.nvim_buf_set_extmark
  vim.api.nvim_buf_set_extmark = function(...)
    calls = calls + 1
    return original(...)
  end
  local lines = { H.annotation(2, 1, 'two'), H.annotation(4, 0.3, 'four'), H.annotation(5, 0.01, 'five') }
  H.annotate(version(), lines)
  local unchanged = calls
  lines[2].label = 'four and more'
  H.annotate(version(), lines)
  H.eventually_marks('text', { [2] = 'two', [4] = 'four and more', [5] = 'five' })
  vim.api.nvim_buf_set_extmark = original
  H.same({ 0, 1 }, { unchanged, calls })
end)

H.test('a file that no longer matches the build is said once, and dimmed', function()
  reset_text()
  for _ = 1, 2 do
    H.annotate(version(), { H.annotation(2, 1, 'two') }, true)
  end
  H.eventually_marks('text', { [2] = 'two' })
  local told = vim.tbl_filter(function(message)
    return message.text:find('changed since the build') ~= nil
  end, H.messages)
  H.same(1, #told)
  local namespace = vim.api.nvim_get_namespaces()['rsprof.text']
  local mark = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
  H.same('RsprofStale', mark[4].virt_text[1][2])
end)
