local H = require('harness')
local placement = require('rsprof.placement')

H.test('labels start behind the longest line that leaves room, by tens', function()
  H.same(40, placement.of_buffer(0, { 5, 20 }, 'auto').column)
  H.same(50, placement.of_buffer(0, { 5, 39, 79 }, 'auto').column)
  H.same(60, placement.of_buffer(0, { 5, 58, 70 }, 'auto').column)
end)

H.test('a column that is set is taken, but no further than a label from the edge', function()
  H.same(10, placement.of_buffer(0, { 58 }, 10).column)
  H.same(65, placement.of_buffer(0, {}, 200).column)
end)

local wide = { window_width = 80, wraps = false, column = 40 }

local function drawn(...)
  return { placement.after_line(...) }
end

H.test('after a short line a label is filled up to the column', function()
  H.same({ 'eol', (' '):rep(34) .. '38.2%' }, drawn(wide, 5, '38.2%'))
end)

H.test('after a line that passes the column a label follows at once', function()
  H.same({ 'eol', ' 38.2%' }, drawn(wide, 73, '38.2%'))
end)

H.test('a label that would be cut off covers the end of the line', function()
  H.same({ 'right_align', ' 0.4%' }, drawn(wide, 74, ' 0.4%'))
  H.same({ 'right_align', ' 38.2%' }, drawn(wide, 300, '38.2%'))
end)

H.test('after a line that wraps there is room on its last row', function()
  H.same({ 'eol', ' 38.2%' }, drawn({ window_width = 80, wraps = true, column = 40 }, 100, '38.2%'))
  H.same({ 'right_align', ' 38.2%' }, drawn({ window_width = 80, wraps = true, column = 40 }, 155, '38.2%'))
end)

H.test('the narrowest window decides', function()
  vim.cmd('vsplit')
  assert(placement.of_buffer(vim.api.nvim_get_current_buf(), {}, 200).column < 40)
  vim.cmd('only')
end)
