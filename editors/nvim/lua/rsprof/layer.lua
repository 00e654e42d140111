--- Marks of one concern in one namespace, changed as little as possible: a mark that would look as it looks already is
--- left alone, so nothing flickers. Marks bear the ids of their annotations, and follow the text by themselves.
---@class rsprof.Layer
---@field namespace integer
---@field private shown table<integer, table<integer, string>> by buffer and id, what the mark looks like
local Layer = {}
Layer.__index = Layer

---@class rsprof.Mark
---@field line integer
---@field look string two marks of the same look are the same
---@field opts table for nvim_buf_set_extmark()

---@param name string
---@return rsprof.Layer
function Layer.new(name)
  return setmetatable({ namespace = vim.api.nvim_create_namespace(name), shown = {} }, Layer)
end

--- Shows exactly these marks in the buffer.
---@param buf integer
---@param marks table<integer, rsprof.Mark> by id
function Layer:set(buf, marks)
  local shown = self.shown[buf] or {}
  for id in pairs(shown) do
    if not marks[id] then
      self:drop(buf, id)
    end
  end
  self.shown[buf] = shown
  for id, mark in pairs(marks) do
    if shown[id] ~= mark.look then
      local opts = vim.tbl_extend('error', { id = id }, mark.opts)
      vim.api.nvim_buf_set_extmark(buf, self.namespace, mark.line, 0, opts)
      shown[id] = mark.look
    end
  end
end

---@param buf integer
---@param id integer
function Layer:drop(buf, id)
  if self.shown[buf] and self.shown[buf][id] then
    self.shown[buf][id] = nil
    vim.api.nvim_buf_del_extmark(buf, self.namespace, id)
  end
end

---@param buf integer
function Layer:clear(buf)
  self.shown[buf] = nil
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, self.namespace, 0, -1)
  end
end

return Layer
