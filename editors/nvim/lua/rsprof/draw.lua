--- Draws the annotations: text beside the lines, heat in the sign column.
local Layer = require('rsprof.layer')
local annotations = require('rsprof.annotations')
local compat = require('rsprof.compat')
local config = require('rsprof.config')
local highlight = require('rsprof.highlight')

local M = {}

local text_layer = Layer.new('rsprof.text')
local sign_layer = Layer.new('rsprof.sign')
local visible = true

--- Wider bars for hotter lines: the heat can be told without colours.
local bars = { '▏', '▎', '▌', '█' }

--- As wide as a label gets: a window that is narrower than the column and a label pulls the column in.
local label_width = 17

---@param buf integer
---@return integer column that the text starts in at least
local function text_column(buf)
  local window = vim.fn.getwininfo(vim.fn.bufwinid(buf))[1]
  local column = config.get().column
  return window and math.min(column, window.width - window.textoff - label_width) or column
end

---@param buf integer
---@param line integer
---@param column integer
---@return string gap between the code and the text
local function gap(buf, line, column)
  local code = vim.api.nvim_buf_get_lines(buf, line, line + 1, false)[1] or ''
  return (' '):rep(math.max(1, column - vim.fn.strdisplaywidth(code) - 1)) -- Neovim puts one more before it
end

---@param buf integer
---@param anchored rsprof.Anchored
---@param column integer
---@return rsprof.Mark
local function text_mark(buf, anchored, column)
  local options = config.get()
  local annotation = anchored.annotation
  local group = annotations.is_stale(buf) and 'RsprofStale' or 'RsprofHeat' .. highlight.level(annotation.heat)
  local position = options.position
  if position == 'inline' and not compat.has_inline_text then
    position = 'eol'
  end
  local text = annotation.label
  if position == 'eol' then
    text = gap(buf, anchored.line, column) .. text
  elseif position == 'inline' then
    text = text .. '  '
  end
  return {
    line = anchored.line,
    look = table.concat({ position, group, text }, '\n'),
    opts = { virt_text = { { text, group } }, virt_text_pos = position, hl_mode = 'combine', priority = 50 },
  }
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

---@param buf integer
---@return fun(line: integer): boolean whether the line bears text
local function wants_text(buf)
  local mode = config.get().text
  local cursor = buf == vim.api.nvim_get_current_buf() and vim.api.nvim_win_get_cursor(0)[1] - 1 or -1
  return function(line)
    return mode == 'all' or (mode == 'line' and line == cursor)
  end
end

--- Brings what the buffer shows up to date.
---@param buf integer
function M.refresh(buf)
  local texts, signs = {}, {}
  if visible then
    local with_text, with_sign = wants_text(buf), config.get().signs
    local column = text_column(buf)
    for id, anchored in pairs(annotations.get(buf)) do
      texts[id] = with_text(anchored.line) and text_mark(buf, anchored, column) or nil
      signs[id] = with_sign and sign_mark(anchored) or nil
    end
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
  vim.api.nvim_create_autocmd({ 'VimResized', 'BufWinEnter' }, { group = group, callback = M.refresh_all })
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
