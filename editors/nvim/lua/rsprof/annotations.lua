--- The annotations of each buffer, anchored to its text by invisible marks, so that they stay with their lines while
--- the text is edited. An annotation whose line is deleted goes with it.
local Edits = require('rsprof.edits')
local Trend = require('rsprof.trend')
local log = require('rsprof.log')

local M = {}

local anchors = vim.api.nvim_create_namespace('rsprof.anchor')

---@class rsprof.Anchored
---@field line integer where it stands by the count of lines
---@field text string what the line says, without its indentation
---@field annotation rsprof.Annotation
---@field trend rsprof.Trend

---@class rsprof.BufferAnnotations
---@field edits rsprof.Edits
---@field by_id table<integer, rsprof.Anchored>
---@field stale boolean the file no longer matches what the process was built from
---@field unsettled boolean edited since the marks were last looked at

---@type table<integer, rsprof.BufferAnnotations>
local buffers = {}

---@class rsprof.AnnotationsObserver
---@field changed fun(buf: integer) something is to be drawn anew
---@field dropped fun(buf: integer, id: integer) the line of this annotation was deleted

---@type rsprof.AnnotationsObserver
local observer

---@param new_observer rsprof.AnnotationsObserver
function M.observe(new_observer)
  observer = new_observer
end

---@param buf integer
---@param line integer
---@return string
local function text_at(buf, line)
  return vim.trim(vim.api.nvim_buf_get_lines(buf, line, line + 1, false)[1] or '')
end

---@param buf integer
---@param state rsprof.BufferAnnotations
---@param id integer
local function drop(buf, state, id)
  state.by_id[id] = nil
  vim.api.nvim_buf_del_extmark(buf, anchors, id)
  observer.dropped(buf, id)
end

--- Agrees on where each annotation stands after edits. Its mark and the count of lines differ where lines were
--- replaced: a line that was broken at its start went where the mark went, a line that was written anew stayed where it
--- was, while its mark went behind what was replaced. The text tells which it was.
---@param buf integer
---@param state rsprof.BufferAnnotations
local function settle(buf, state)
  if not state.unsettled then
    return
  end
  state.unsettled = false
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buf, anchors, 0, -1, {})) do
    local id, line = mark[1], mark[2]
    local anchored = state.by_id[id]
    if anchored and anchored.line ~= line then
      if text_at(buf, line) == anchored.text then
        anchored.line = line
      else
        vim.api.nvim_buf_set_extmark(buf, anchors, anchored.line, 0, { id = id })
        observer.dropped(buf, id)
      end
    end
  end
  for _, anchored in pairs(state.by_id) do
    anchored.text = text_at(buf, anchored.line)
  end
end

--- Settles as soon as the edit is done: marks are not all moved yet when an edit is told.
---@param buf integer
---@param state rsprof.BufferAnnotations
local function settle_soon(buf, state)
  if state.unsettled then
    return
  end
  state.unsettled = true
  vim.schedule(function()
    if buffers[buf] == state and vim.api.nvim_buf_is_loaded(buf) then
      settle(buf, state)
      observer.changed(buf)
    end
  end)
end

---@param buf integer
---@param state rsprof.BufferAnnotations
local function on_lines(buf, state, tick, first, last, new_last)
  state.edits:add(tick, first, last, new_last)
  local touched = last ~= new_last
  for id, anchored in pairs(state.by_id) do
    touched = touched or (anchored.line >= first and anchored.line < last)
    local line = Edits.moved(anchored.line, first, last, new_last)
    if line then
      anchored.line = line
    else
      drop(buf, state, id)
    end
  end
  if touched then
    settle_soon(buf, state)
  end
end

--- Forgets everything about a buffer, its marks included.
---@param buf integer
---@param state rsprof.BufferAnnotations
local function empty(buf, state)
  for id in pairs(state.by_id) do
    drop(buf, state, id)
  end
  state.edits = Edits.new()
  state.stale = false
end

--- Begins to follow the edits of a buffer. To be called before the server learns of the buffer.
---@param buf integer
function M.track(buf)
  if buffers[buf] then
    empty(buf, buffers[buf])
    return
  end
  local state = { edits = Edits.new(), by_id = {}, stale = false, unsettled = false }
  buffers[buf] = state
  vim.api.nvim_buf_attach(buf, false, {
    on_lines = function(_, _, tick, first, last, new_last)
      if buffers[buf] ~= state then
        return true
      end
      on_lines(buf, state, tick, first, last, new_last)
    end,
    on_reload = function()
      if buffers[buf] == state then
        empty(buf, state)
        observer.changed(buf)
      end
    end,
    on_detach = function()
      if buffers[buf] == state then
        buffers[buf] = nil
      end
    end,
  })
end

---@param uri string
---@return integer?
local function tracked_buffer(uri)
  local name = vim.uri_to_fname(uri)
  for buf in pairs(buffers) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_get_name(buf) == name then
      return buf
    end
  end
end

---@param state rsprof.BufferAnnotations
---@return table<integer, integer> id by line
local function ids_by_line(state)
  local ids = {}
  for id, anchored in pairs(state.by_id) do
    ids[anchored.line] = id
  end
  return ids
end

--- Replaces the annotations of a buffer; those that stay on their line keep their id.
---@param buf integer
---@param state rsprof.BufferAnnotations
---@param params rsprof.AnnotationsParams
local function replace(buf, state, params)
  settle(buf, state)
  local old = ids_by_line(state)
  local line_count = vim.api.nvim_buf_line_count(buf)
  local kept = {}
  for _, annotation in ipairs(params.lines) do
    local line = state.edits:map(annotation.line, params.version)
    if line and line >= 0 and line < line_count then
      local id = old[line] or vim.api.nvim_buf_set_extmark(buf, anchors, line, 0, {})
      local trend = state.by_id[id] and state.by_id[id].trend or Trend.new()
      kept[id] = { line = line, text = text_at(buf, line), annotation = annotation, trend = trend }
    end
  end
  for id in pairs(state.by_id) do
    if not kept[id] then
      drop(buf, state, id)
    end
  end
  state.by_id = kept
end

--- Takes what the server says of a document.
---@param params rsprof.AnnotationsParams
function M.receive(params)
  local buf = tracked_buffer(params.uri)
  if not buf then
    return
  end
  local state = buffers[buf]
  if not state.edits:covers(params.version) then
    log.add(('annotations of version %d came too late for %s'):format(params.version, params.uri))
    return
  end
  state.edits:forget(params.version)
  replace(buf, state, params)
  if params.stale and not state.stale then
    local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ':t')
    log.warn(('%s was changed since the build: its numbers may be off'):format(name))
  end
  state.stale = params.stale
  observer.changed(buf)
end

--- The annotations of a buffer by id, each with the line it stands on now.
---@param buf integer
---@return table<integer, rsprof.Anchored>
function M.get(buf)
  local state = buffers[buf]
  if not state then
    return {}
  end
  settle(buf, state)
  return state.by_id
end

--- The annotation of a line.
---@param buf integer
---@param line integer
---@return rsprof.Anchored?
function M.at(buf, line)
  for _, anchored in pairs(M.get(buf)) do
    if anchored.line == line then
      return anchored
    end
  end
end

--- Remembers the numbers of now, for trends: to be called once a tick.
function M.remember()
  for _, state in pairs(buffers) do
    for _, anchored in pairs(state.by_id) do
      anchored.trend:add(anchored.annotation)
    end
  end
end

---@param buf integer
---@return boolean
function M.is_stale(buf)
  return buffers[buf] ~= nil and buffers[buf].stale
end

---@return integer[]
function M.buffers()
  return vim.tbl_keys(buffers)
end

--- Follows no buffer any more, and forgets all annotations.
function M.clear()
  local followed = buffers
  buffers = {}
  for buf, state in pairs(followed) do
    if vim.api.nvim_buf_is_loaded(buf) then
      empty(buf, state)
      observer.changed(buf)
    end
  end
end

return M
