local H = require('harness')

H.use_fake_server()
local dir = H.open_sample()
local commands = require('rsprof.commands')

local function complete(line)
  return vim.fn.getcompletion(line, 'cmdline')
end

H.test('subcommands complete', function()
  H.same({ 'reattach', 'reset' }, complete('Rsprof re'))
  H.same({ 'both' }, complete('Rsprof metric b'))
  H.same({ 'window' }, complete('Rsprof metric cpu w'))
  H.same({}, complete('Rsprof detach '))
end)

H.test('an unknown subcommand names those there are', function()
  vim.cmd('Rsprof frobnicate')
  local message = H.said('there is no :Rsprof frobnicate')
  for _, name in ipairs({ 'attach', 'detach', 'metric', 'status' }) do
    assert(message.text:find(name, 1, true), message.text)
  end
end)

H.test('a word that is no process id is refused', function()
  vim.cmd('Rsprof attach svc')
  H.said('svc is no process id')
  vim.cmd('Rsprof attach 0')
  H.said('0 is no process id')
end)

H.test('before any attach, status says so', function()
  vim.cmd('Rsprof status')
  H.said('not attached')
  vim.cmd('Rsprof reattach')
  H.said('nothing to re-attach to yet')
end)

local offered

local function choose(number)
  vim.ui.select = function(items, opts, done)
    offered = vim.tbl_map(opts.format_item, items)
    done(items[number], number)
  end
end

H.test('the picker shows what a choice depends on', function()
  choose(nil)
  offered = nil
  vim.cmd('Rsprof attach')
  H.eventually('the picker', function()
    return offered
  end)
  H.same({
    '   4242  svc     1.93 cores       1 min  /srv/svc/target/release/svc  [this workspace]',
    '     77  other   0.00 cores     1 d 1 h  /usr/bin/other  [no debug info, cannot attach]',
    'show all processes…',
  }, offered)
end)

H.test('a process that cannot be attached to says why', function()
  choose(2)
  vim.cmd('Rsprof attach')
  H.said('cannot attach to 77: it belongs to root: run rsprof as root')
end)

H.test('the last entry shows all processes', function()
  choose(3)
  offered = nil
  vim.cmd('Rsprof attach')
  H.eventually('the longer list', function()
    return offered and #offered == 3 and offered[3]:find('not Rust')
  end)
end)

H.test('choosing a process attaches to it', function()
  choose(1)
  vim.cmd('Rsprof attach')
  H.said('attached to process 4242 (svc)')
  H.eventually('the annotations', function()
    return H.marks('text')[2]
  end)
end)

H.test('process ids complete once the server runs', function()
  H.same({ '4242', '77' }, complete('Rsprof attach '))
end)

H.test('next and prev go from hot line to hot line, around the end', function()
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  local visited = {}
  for _ = 1, 4 do
    vim.cmd('Rsprof next')
    table.insert(visited, vim.api.nvim_win_get_cursor(0)[1])
  end
  vim.cmd('Rsprof prev')
  table.insert(visited, vim.api.nvim_win_get_cursor(0)[1])
  H.same({ 3, 5, 6, 3, 6 }, visited)
end)

H.test('the <Plug> mappings take a count', function()
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.keymap.set('n', ']r', '<Plug>(rsprof-next)')
  vim.api.nvim_feedkeys('2]r', 'xt', false)
  H.same(5, vim.api.nvim_win_get_cursor(0)[1])
end)

H.test('hottest opens the hottest line', function()
  vim.api.nvim_win_set_cursor(0, { 10, 0 })
  vim.cmd('Rsprof hottest')
  H.eventually('the jump', function()
    return vim.api.nvim_win_get_cursor(0)[1] == 3
  end)
end)

H.test('hot fills the quickfix list', function()
  vim.cmd('Rsprof hot 2')
  local list = H.eventually('the list', function()
    local list = vim.fn.getqflist({ title = 1, items = 1 })
    return #list.items > 0 and list
  end)
  H.same('rsprof: hottest lines', list.title)
  H.same({ 3, 5 }, { list.items[1].lnum, list.items[2].lnum })
  H.same('38.2%  12.0 MiB  svc::parse::token', list.items[1].text)
  vim.cmd('cclose')
end)

local function floating_window()
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(win).relative ~= '' then
      return win
    end
  end
end

H.test('line shows the details in a float, where <CR> follows a caller', function()
  vim.api.nvim_win_set_cursor(0, { 3, 0 })
  vim.cmd('Rsprof line')
  local win = H.eventually('the float', floating_window)
  local text = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, false)
  H.same({
    'svc::parse::token',
    '',
    'CPU    50.0% self   100.0% total   0.74 cores   4.0% of it in the kernel   760 samples',
    'Heap   12.0 MiB ± 3.0% live in 96 blocks',
    '',
    'Called from',
    (' 100.0%%  svc::main  %s:9'):format(vim.fn.fnamemodify(dir .. '/src/main.rs', ':~:.')),
    '',
    'Calls',
    '  30.0%  core::str::validate',
  }, text)
  vim.api.nvim_set_current_win(win)
  vim.api.nvim_win_set_cursor(win, { 7, 0 })
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('<CR>', true, false, true), 'xt', false)
  H.same(9, vim.api.nvim_win_get_cursor(0)[1])
  H.same(nil, floating_window())
end)

H.test('a line that nothing was measured on is said', function()
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.cmd('Rsprof line')
  H.said('nothing was measured on this line')
end)

H.test('metric changes the view, and keeps what it does not name', function()
  vim.cmd('Rsprof metric heap total')
  H.said('showing heap, total, last 10 s')
  vim.cmd('Rsprof metric attach')
  H.said('showing heap, total, since attach')
  local views = H.received('rsprof/setView')
  H.same({ metric = 'heap', attribution = 'total', period = 'attach', minShare = 0.001 }, views[#views].params)
  vim.cmd('Rsprof metric speed')
  H.said('speed is not one of')
end)

H.test('reset starts the counts anew', function()
  vim.cmd('Rsprof reset')
  H.said('CPU counts start anew')
  H.same(1, #H.received('rsprof/reset'))
end)

H.test('status tells everything, hints included', function()
  vim.cmd('Rsprof status')
  local text = H.said('running  4242').text
  for _, part in ipairs({
    '1.93 cores',
    '0 lost',
    '12.0 MiB live',
    'uprobe',
    "0.4% of the process's CPU time",
    'libfoo.so',
  }) do
    assert(text:find(part, 1, true), text)
  end
end)

H.test('symbols that load are seen in the status line, and by those who show progress', function()
  local shown = 0
  local newer = vim.fn.exists('##LspProgress') == 1
  vim.api.nvim_create_autocmd(newer and 'LspProgress' or 'User', {
    pattern = newer and '*' or 'LspProgressUpdate',
    callback = function()
      shown = shown + 1
    end,
  })
  H.send({
    method = '$/progress',
    params = { token = 'rsprof/symbols', value = { kind = 'begin', title = 'symbols', percentage = 40 } },
  })
  H.eventually('the progress', function()
    return require('rsprof').statusline():find('symbols 40%%')
  end)
  H.send({ method = '$/progress', params = { token = 'rsprof/symbols', value = { kind = 'end' } } })
  H.eventually('its end', function()
    return not require('rsprof').statusline():find('symbols')
  end)
  H.same(2, shown)
end)

H.test('log opens what happened', function()
  vim.cmd('Rsprof log')
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  assert(text:find('attached to process 4242', 1, true), text)
  assert(text:find('hint: libfoo.so', 1, true), text)
  vim.cmd('bwipeout')
end)

assert(commands)
