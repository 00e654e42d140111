local H = require('harness')
local Trend = require('rsprof.trend')

H.test('a trend goes from nothing to the largest value', function()
  H.same('▁▅█', Trend.bars({ 0, 5, 10 }))
  H.same('██', Trend.bars({ 3, 3 }))
end)

H.test('one value, or nothing but zeros, is no trend', function()
  H.same('', Trend.bars({ 3 }))
  H.same('', Trend.bars({ 0, 0, 0 }))
end)

H.test('a trend keeps the last half minute', function()
  local trend = Trend.new()
  for i = 1, 40 do
    trend:add({ cpu = { self = i }, heap = { selfLiveBytes = -i } })
  end
  H.same({ 30, 11, 40 }, { #trend.cpu, trend.cpu[1], trend.cpu[30] })
  H.same({ 30, -11 }, { #trend.heap, trend.heap[1] })
end)

H.test('the details of a line show its trend', function()
  H.use_fake_server()
  H.open_sample()
  vim.cmd('Rsprof attach 4242')
  H.eventually('the annotations', function()
    return H.marks('text')[2]
  end)
  for _, heat in ipairs({ 0.5, 1 }) do
    H.annotate(vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()], { H.annotation(2, heat, 'two') })
    H.send({ method = 'rsprof/status', params = require('rsprof.session').status() })
  end
  vim.api.nvim_win_set_cursor(0, { 3, 0 })
  vim.cmd('Rsprof line')
  H.eventually('the bars', function()
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, false)
      if table.concat(lines, '\n'):find('▅█', 1, true) then
        return true
      end
    end
  end)
end)
