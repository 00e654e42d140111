--- What rsprof says and understands beyond LSP: method names, error codes and the shapes of the messages.
--- server/PROTOCOL.md is the contract; a test compares the two. Lines are 0-based, shares are 0…1, sizes are bytes,
--- rates are per second. A field marked `?` may be absent, and unknown fields are ignored.
local M = {}

--- The version of the protocol that `initialize` answers in `capabilities.experimental.rsprof.protocol`.
M.version = 1

M.methods = {
  list_processes = 'rsprof/listProcesses',
  attach = 'rsprof/attach',
  detach = 'rsprof/detach',
  reset = 'rsprof/reset',
  set_view = 'rsprof/setView',
  hot_lines = 'rsprof/hotLines',
  line_details = 'rsprof/lineDetails',
  annotations = 'rsprof/annotations',
  status = 'rsprof/status',
  progress = '$/progress',
}

--- The token of `$/progress` while symbols load.
M.progress_token = 'rsprof/symbols'

M.errors = {
  ParseError = -32700,
  InvalidRequest = -32600,
  MethodNotFound = -32601,
  InvalidParams = -32602,
  InternalError = -32603,
  ServerNotInitialized = -32002,
  NoSuchProcess = 1001,
  PermissionDenied = 1002,
  NotRust = 1003,
  NoDebugInfo = 1004,
  NotAttached = 1005,
  Unsupported = 1006,
  Busy = 1007,
}

---@alias rsprof.Metric 'cpu'|'heap'|'both'
---@alias rsprof.HeapMode 'auto'|'hook'|'uprobe'|'off'
---@alias rsprof.State 'detached'|'attaching'|'running'|'lost'

---@class rsprof.View
---@field metric? rsprof.Metric
---@field attribution? 'self'|'total'
---@field period? 'window'|'attach'
---@field minShare? number lines below this share of the CPU time or of the heap are not annotated

---@class rsprof.InitializationOptions
---@field cpuFreqHz? integer
---@field heap? rsprof.HeapMode
---@field heapIntervalBytes? integer
---@field windowSec? integer
---@field sourceMap? string[] `FROM=TO`
---@field view? rsprof.View

---@class rsprof.ListProcessesParams
---@field all? boolean

---@class rsprof.Process
---@field pid integer
---@field name string
---@field exe string
---@field command string
---@field user string
---@field uptimeSec number
---@field cpuCores number
---@field rust boolean
---@field debugInfo 'lines'|'symbols'|'none'|'unknown'
---@field workspace boolean
---@field attachable boolean
---@field reason? string why it is not attachable, and what to do

---@class rsprof.ListProcessesResult
---@field processes rsprof.Process[]

---@class rsprof.AttachParams
---@field pid integer
---@field cpuFreqHz? integer
---@field heap? rsprof.HeapMode
---@field heapIntervalBytes? integer
---@field windowSec? integer

---@class rsprof.AttachResult
---@field pid integer
---@field exe string

---@class rsprof.LineCpu
---@field self number
---@field total number
---@field samples integer

---@class rsprof.LineHeap
---@field selfLiveBytes integer
---@field liveBytes integer
---@field liveBlocks integer
---@field allocBytesPerSec number
---@field allocsPerSec number
---@field relStdErr number

---@class rsprof.Annotation
---@field line integer
---@field heat number
---@field label string
---@field cpu rsprof.LineCpu
---@field heap rsprof.LineHeap

---@class rsprof.AnnotationsParams
---@field uri string
---@field version integer
---@field stale boolean
---@field lines rsprof.Annotation[]

---@class rsprof.HotLinesParams
---@field metric? 'cpu'|'heap'
---@field limit? integer

---@class rsprof.HotLine
---@field uri string
---@field line integer
---@field function string
---@field heat number
---@field label string
---@field cpu rsprof.LineCpu
---@field heap rsprof.LineHeap

---@class rsprof.HotLinesResult
---@field lines rsprof.HotLine[]

---@class rsprof.LineDetailsParams
---@field uri string
---@field line integer

---@class rsprof.LineDetailsCpu
---@field self number
---@field total number
---@field samples integer
---@field cores number
---@field kernelShare number

---@class rsprof.Edge
---@field function string
---@field uri? string
---@field line? integer
---@field share number

---@class rsprof.LineDetails
---@field uri string
---@field line integer
---@field function string
---@field heat number
---@field label string
---@field cpu rsprof.LineDetailsCpu
---@field heap rsprof.LineHeap
---@field callers rsprof.Edge[]
---@field callees rsprof.Edge[]

---@class rsprof.StatusCpu
---@field samples integer
---@field lost integer
---@field freqHz integer
---@field stacksComplete number
---@field processCores number

---@class rsprof.StatusHeap
---@field mode 'hook'|'uprobe'|'off'
---@field intervalBytes integer
---@field samples integer
---@field kernelSamples integer
---@field liveBytes integer
---@field liveBlocks integer
---@field allocBytesPerSec number
---@field allocsPerSec number
---@field lost integer
---@field processHeapBytes integer

---@class rsprof.StatusOverhead
---@field fraction number

---@class rsprof.StatusSymbols
---@field firstAnnotationMs integer
---@field modules integer

---@class rsprof.StatusParams
---@field state rsprof.State
---@field pid integer
---@field exe string
---@field cpu rsprof.StatusCpu
---@field heap rsprof.StatusHeap
---@field overhead rsprof.StatusOverhead
---@field symbols rsprof.StatusSymbols
---@field hints string[]

return M
