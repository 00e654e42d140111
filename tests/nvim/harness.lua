--- A headless Neovim runs one spec, named by $RSPROF_SPEC:  nvim --headless -u NONE --clean -c 'luafile harness.lua'
--- It prints TAP and ends with 0, or with 1 where a check failed.
local here = vim.fn.fnamemodify(debug.getinfo(1).source:sub(2), ':p:h')
local repository = vim.fn.fnamemodify(here, ':h:h')
vim.opt.runtimepath:prepend(repository .. '/editors/nvim')
vim.o.swapfile = false

local count, failures = 0, 0
local H = { here = here, plugin = repository .. '/editors/nvim', messages = {} }

-- Messages are collected, not shown: a long one would stop a headless Neovim at a prompt.
vim.notify = function(text, level)
  table.insert(H.messages, { text = text, level = level })
end

function H.test(name, body)
  count = count + 1
  local ok, problem = xpcall(body, debug.traceback)
  if not ok then
    failures = failures + 1
  end
  io.stdout:write(('%s %d - %s\n'):format(ok and 'ok' or 'not ok', count, name))
  if not ok then
    io.stdout:write('  ' .. tostring(problem):gsub('\n', '\n  ') .. '\n')
  end
end

function H.same(expected, got)
  if not vim.deep_equal(expected, got) then
    error(('expected %s\n     got %s'):format(vim.inspect(expected), vim.inspect(got)), 2)
  end
end

--- Waits until a condition holds.
function H.eventually(what, condition)
  local value
  local held = vim.wait(15000, function()
    value = condition()
    return value
  end, 5)
  if not held then
    error('never happened: ' .. what .. '\nmessages: ' .. vim.inspect(H.messages), 2)
  end
  return value
end

function H.said(part)
  return H.eventually(('the message %q'):format(part), function()
    for _, message in ipairs(H.messages) do
      if message.text:find(part, 1, true) then
        return message
      end
    end
  end)
end

--- The marks of a concern: line (0-based) → what is drawn there. (Neovim 0.7 does not tell the text of a sign.)
function H.marks(concern, buf)
  local namespace = vim.api.nvim_get_namespaces()['rsprof.' .. concern]
  local found = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buf or 0, namespace, 0, -1, { details = true })) do
    local details = mark[4]
    local drawn = vim.trim(details.virt_text and details.virt_text[1][1] or details.sign_text or 'sign')
    found[mark[2]] = found[mark[2]] and found[mark[2]] .. ' and ' .. drawn or drawn
  end
  return found
end

function H.eventually_marks(concern, expected)
  local ok, problem = pcall(H.eventually, 'the marks', function()
    return vim.deep_equal(H.marks(concern), expected)
  end)
  if not ok then
    error(problem .. '\nmarks: ' .. vim.inspect(H.marks(concern)), 2)
  end
end

--- A Rust file of ten lines in a cargo package of its own, opened.
function H.open_sample()
  local dir = vim.fn.tempname()
  vim.fn.mkdir(dir .. '/src', 'p')
  vim.fn.writefile({ '[package]', 'name = "svc"' }, dir .. '/Cargo.toml')
  local text = {}
  for i = 0, 9 do
    table.insert(text, ('line %d'):format(i))
  end
  vim.fn.writefile(text, dir .. '/src/main.rs')
  vim.cmd('edit ' .. dir .. '/src/main.rs')
  return dir
end

function H.use_fake_server()
  vim.g.rsprof = { server = { 'node', here .. '/fake-server.mjs' } }
  vim.cmd('runtime plugin/rsprof.lua')
end

function H.client()
  return require('rsprof.client').get()
end

--- Has the fake server send messages, and waits until they have arrived.
function H.send(...)
  local answer = require('rsprof.compat').client_request_sync(H.client(), 'fake/send', { messages = { ... } }, 5000)
  assert(answer and not answer.err, vim.inspect(answer))
end

function H.received(method)
  local answer = require('rsprof.compat').client_request_sync(H.client(), 'fake/received', {}, 5000)
  return vim.tbl_filter(function(message)
    return message.method == method
  end, answer.result)
end

function H.annotation(line, heat, label)
  return {
    line = line,
    heat = heat,
    label = label,
    cpu = { self = heat, total = heat, samples = 1 },
    heap = { selfLiveBytes = 0, liveBytes = 0, liveBlocks = 0, allocBytesPerSec = 0, allocsPerSec = 0, relStdErr = 0 },
  }
end

--- Has the fake server annotate the current buffer.
function H.annotate(version, lines, stale)
  H.send({
    method = 'rsprof/annotations',
    params = { uri = vim.uri_from_bufnr(0), version = version, stale = stale or false, lines = lines },
  })
end

package.loaded['harness'] = H
local loaded, problem = pcall(dofile, vim.env.RSPROF_SPEC)
if not loaded then
  H.test('the spec runs to its end', function()
    error(problem)
  end)
end
io.stdout:write(('1..%d\n'):format(count))
vim.cmd(failures == 0 and 'qall!' or 'cquit 1')
