--- Where on its line a label stands, so that labels stand below each other and none is cut off at the window's edge.
local M = {}

--- As wide as a label gets: CPU, two blanks, heap.
local label_width = 15
local least_auto_column = 40

---@class rsprof.Placement
---@field window_width integer cells for text in the narrowest window that shows the buffer
---@field wraps boolean
---@field column integer labels after the line start here at least

--- The cells for text in the narrowest window that shows a buffer, and whether long lines wrap there.
---@param buf integer
---@return integer? width nil where no window shows it
---@return boolean wraps
local function narrowest_window(buf)
  local narrowest, wraps = nil, true
  for _, window in ipairs(vim.fn.getwininfo()) do
    local width = window.width - (window.textoff or 0)
    if window.bufnr == buf and (not narrowest or width < narrowest) then
      narrowest, wraps = width, vim.wo[window.winid].wrap
    end
  end
  return narrowest, wraps
end

--- Behind the longest line that leaves room for a label, by tens, so that it seldom moves.
---@param widths integer[]
---@param most integer
---@return integer
local function auto_column(widths, most)
  local column = least_auto_column
  for _, width in ipairs(widths) do
    if width + 2 <= most then
      column = math.max(column, math.ceil((width + 2) / 10) * 10)
    end
  end
  return column
end

--- How the labels of a buffer are to be placed.
---@param buf integer
---@param widths integer[] of the annotated lines, in cells
---@param wanted 'auto'|integer the option `column`
---@return rsprof.Placement
function M.of_buffer(buf, widths, wanted)
  local width, wraps = narrowest_window(buf)
  local most = math.max(0, (width or vim.o.columns) - label_width)
  local column = wanted == 'auto' and auto_column(widths, most) or wanted
  return { window_width = width or vim.o.columns, wraps = wraps, column = math.min(column, most) }
end

--- How a label after its line is drawn.
---@param placement rsprof.Placement
---@param line_width integer in cells
---@param label string
---@return 'eol'|'right_align' position
---@return string text
function M.after_line(placement, line_width, label)
  local last_row = placement.wraps and line_width % placement.window_width or line_width
  local gap = math.max(1, placement.column - line_width - 1) -- Neovim puts one more blank before it
  if last_row + 1 + gap + #label > placement.window_width then
    return 'right_align', ' ' .. vim.trim(label)
  end
  return 'eol', (' '):rep(gap) .. label
end

--- How a label at the right edge is drawn: padded, so that costs of one kind stand below each other.
---@param label string
---@return string
function M.at_edge(label)
  return ' ' .. label .. (' '):rep(label_width - #label)
end

return M
