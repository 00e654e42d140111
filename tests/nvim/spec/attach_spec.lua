local H = require('harness')

local all = { [2] = '38.2%  12.0 MiB', [4] = '11.5%', [5] = '0.4%' }
local events = {}
for _, name in ipairs({ 'RsprofAttach', 'RsprofDetach', 'RsprofUpdate' }) do
  vim.api.nvim_create_autocmd('User', {
    pattern = name,
    callback = function()
      events[name] = (events[name] or 0) + 1
    end,
  })
end

H.use_fake_server()
H.open_sample()

H.test('nothing is loaded before the first command', function()
  for module in pairs(package.loaded) do
    assert(not module:find('^rsprof'), module)
  end
end)

H.test('attach draws the annotations of the open file', function()
  vim.cmd('Rsprof attach 4242')
  H.said('attached to process 4242 (svc)')
  H.eventually_marks('text', all)
  local tells_signs = vim.fn.has('nvim-0.10') == 1
  local untold = { [2] = 'sign', [4] = 'sign', [5] = 'sign' }
  H.same(tells_signs and { [2] = '█', [4] = '▌', [5] = '▏' } or untold, H.marks('sign'))
  H.same(1, events.RsprofAttach)
  assert(events.RsprofUpdate > 0)
end)

H.test('the server is told who draws, and what folder is the project', function()
  local params = H.received('initialize')[1].params
  H.same({ rsprof = { annotations = true } }, params.capabilities.experimental)
  H.same(vim.uri_from_fname(vim.fn.expand('%:p:h:h')), params.workspaceFolders[1].uri)
  H.same({ sourceMap = {} }, params.initializationOptions)
  H.same({
    pid = 4242,
    cpuFreqHz = 199,
    heap = 'auto',
    heapIntervalBytes = 0,
    windowSec = 10,
  }, H.received('rsprof/attach')[1].params)
  H.same({
    metric = 'both',
    attribution = 'self',
    period = 'window',
    minShare = 0.001,
  }, H.received('rsprof/setView')[1].params)
end)

H.test('toggle hides and shows again', function()
  vim.cmd('Rsprof toggle')
  H.same({}, H.marks('text'))
  H.same({}, H.marks('sign'))
  vim.cmd('Rsprof toggle')
  H.same(all, H.marks('text'))
end)

H.test('the status line tells the process and its cost', function()
  H.eventually('a status', function()
    return require('rsprof').statusline() == 'rsprof: svc 1.93 cores  12.0 MiB'
  end)
end)

H.test('a file that is opened later is annotated, and again after it was closed', function()
  local first = vim.api.nvim_get_current_buf()
  vim.fn.writefile({ 'one', 'two', 'three', 'four', 'five', 'six' }, vim.fn.expand('%:p:h') .. '/lib.rs')
  vim.cmd('edit %:p:h/lib.rs')
  H.eventually_marks('text', all)
  vim.cmd('bdelete')
  vim.cmd('edit %:p:h/lib.rs')
  H.eventually_marks('text', all)
  vim.cmd('bdelete')
  vim.api.nvim_set_current_buf(first)
end)

H.test('a target that ends is said, and its numbers stay', function()
  H.send({
    method = 'rsprof/status',
    params = vim.tbl_extend('force', require('rsprof.session').status(), { state = 'lost' }),
  })
  H.said('process 4242 (svc) has ended')
  H.same(all, H.marks('text'))
end)

H.test('detach clears the marks and ends the server', function()
  vim.cmd('Rsprof detach')
  H.said('detached')
  H.eventually_marks('text', {})
  H.same({}, H.marks('sign'))
  H.eventually('the end of the server', function()
    return H.client() == nil
  end)
  H.same(1, events.RsprofDetach)
  H.same('', require('rsprof').statusline())
end)

H.test('reattach finds the executable again', function()
  vim.cmd('Rsprof reattach')
  H.eventually_marks('text', all)
  H.eventually('the event', function()
    return events.RsprofAttach == 2
  end)
end)

H.test('a server that dies is said, and takes the annotations with it', function()
  if vim.fn.has('nvim-0.11') == 1 then
    H.client():notify('fake/crash', {})
  else
    H.client().notify('fake/crash', {})
  end
  H.said('the server has ended (code 3)')
  H.eventually_marks('text', {})
end)

H.test('the log has what the server said last', function()
  vim.cmd('Rsprof log')
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  assert(text:find('\nsomething odd', 1, true), text)
  vim.cmd('bwipeout')
end)

H.test('an attach right after a detach is not lost', function()
  local before = events.RsprofAttach
  local function attached(times)
    return function()
      return events.RsprofAttach == before + times
    end
  end
  vim.cmd('Rsprof attach 4242')
  H.eventually('the first attach', attached(1))
  vim.cmd('Rsprof detach')
  vim.cmd('Rsprof attach 4242')
  H.eventually('the second attach', attached(2))
  H.eventually_marks('text', all)
  assert(H.client())
end)

H.test('a refusal is shown with what to do', function()
  vim.cmd('Rsprof attach 1')
  H.said('not your process: run rsprof as root')
  vim.cmd('Rsprof attach 31337')
  H.said('no process has pid 31337: choose one from the list')
end)
