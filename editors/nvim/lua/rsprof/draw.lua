--- Draws the annotations: text beside the lines, heat in the sign column.
local Layer = require('rsprof.layer')
local annotations = require('rsprof.annotations')
local compat = require('rsprof.compat')
local config = require('rsprof.config')
local highlight = require('rsprof.highlight')
local placement = require('rsprof.placement')

local M = {}

local text_layer = Layer.new('rsprof.text')
local sign_layer = Layer.new('rsprof.sign')
local visible = true

--- Wider bars for hotter lines: the heat can be told without colours.
local bars = { '▏', '▎', '▌', '█' }

---@param buf integer
---@return fun(line: integer): boolean whether the line bears text
local function wants_text(buf)
  local mode = config.get().text
  local cursor = buf == vim.api.nvim_get_current_buf() and vim.api.nvim_win_get_cursor(0)[1] - 1 or -1
  return function(line)
    return mode == 'all' or (mode == 'line' and line == cursor)
  end
end

---@param position 'eol'|'right_align'|'inline'
---@param anchored rsprof.Anchored
---@param placed rsprof.Placement
---@param width integer of the line
---@return string position
---@return string text
local function place(position, anchored, placed, width)
  local label = anchored.annotation.label
  if position == 'right_align' then
    return position, placement.at_edge(label)
  elseif position == 'inline' and compat.has_inline_text then
    return position, label .. '  '
  end
  return placement.after_line(placed, width, label)
end

---@param buf integer
---@param anchored rsprof.Anchored
---@param placed rsprof.Placement
---@param width integer of the line
---@return rsprof.Mark
local function text_mark(buf, anchored, placed, width)
  local group = annotations.is_stale(buf) and 'RsprofStale' or 'RsprofHeat' .. highlight.level(anchored.annotation.heat)
  local position, text = place(config.get().position, anchored, placed, width)
  return {
    line = anchored.line,
    look = table.concat({ position, group, text }, '\n'),
    opts = { virt_text = { { text, group } }, virt_text_pos = position, hl_mode = 'combine', priority = 50 },
  }
end

--- The marks of the text layer.
---@param buf integer
---@param by_id table<integer, rsprof.Anchored>
---@return table<integer, rsprof.Mark>
local function text_marks(buf, by_id)
  local widths = {}
  for id, anchored in pairs(by_id) do
    local code = vim.api.nvim_buf_get_lines(buf, anchored.line, anchored.line + 1, false)[1] or ''
    widths[id] = vim.fn.strdisplaywidth(code)
  end
  local placed = placement.of_buffer(buf, vim.tbl_values(widths), config.get().column)
  local wanted, marks = wants_text(buf), {}
  for id, anchored in pairs(by_id) do
    marks[id] = wanted(anchored.line) and text_mark(buf, anchored, placed, widths[id]) or nil
  end
  return marks
end

---@param anchored rsprof.Anchored
---@return rsprof.Mark
local function sign_mark(anchored)
  local level = highlight.level(anchored.annotation.heat)
  return {
    line = anchored.line,
    look = tostring(level),
    opts = { sign_text = bars[level], sign_hl_group = 'RsprofSign' .. level, priority = 5 },
  }
end

--- Brings what the buffer shows up to date.
---@param buf integer
function M.refresh(buf)
  local texts, signs = {}, {}
  if visible then
    local by_id = annotations.get(buf)
    texts = config.get().text ~= 'off' and text_marks(buf, by_id) or {}
    signs = config.get().signs and vim.tbl_map(sign_mark, by_id) or {}
  end
  text_layer:set(buf, texts)
  sign_layer:set(buf, signs)
end

function M.refresh_all()
  for _, buf in ipairs(annotations.buffers()) do
    if vim.api.nvim_buf_is_loaded(buf) then
      M.refresh(buf)
    end
  end
end

--- The line of an annotation is gone: so is what was drawn for it, at once.
---@param buf integer
---@param id integer
function M.drop(buf, id)
  text_layer:drop(buf, id)
  sign_layer:drop(buf, id)
end

--- Shows what is hidden, hides what is shown.
---@return boolean visible
function M.toggle()
  visible = not visible
  M.refresh_all()
  return visible
end

local function create_autocmds()
  local group = vim.api.nvim_create_augroup('rsprof.draw', {})
  vim.api.nvim_create_autocmd('ColorScheme', { group = group, callback = highlight.define })
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI', 'BufEnter' }, {
    group = group,
    callback = function(event)
      if config.get().text ~= 'line' then
        return
      end
      if event.event == 'BufEnter' then
        M.refresh_all()
      else
        M.refresh(event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd(compat.window_events, {
    group = group,
    callback = function()
      vim.schedule(M.refresh_all) -- a window that closes is still counted while the event runs
    end,
  })
  vim.api.nvim_create_autocmd('BufUnload', {
    group = group,
    callback = function(event)
      text_layer:clear(event.buf)
      sign_layer:clear(event.buf)
    end,
  })
end

function M.enable()
  highlight.define()
  create_autocmds()
end

return M
