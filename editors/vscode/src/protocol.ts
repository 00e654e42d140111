// The shapes of server/PROTOCOL.md. Lines are 0-based; shares are fractions of the process's CPU time in the period shown.

export type HeapMode = 'auto' | 'hook' | 'uprobe' | 'off';
export type Metric = 'cpu' | 'heap' | 'both';
export type Attribution = 'self' | 'total';
export type Period = 'window' | 'attach';
export type DebugInfo = 'lines' | 'symbols' | 'none' | 'unknown';
export type SessionState = 'detached' | 'attaching' | 'running' | 'lost';

export interface View {
    metric: Metric;
    attribution: Attribution;
    period: Period;
    minShare: number;
}

export interface InitializationOptions {
    cpuFreqHz?: number;
    heap?: HeapMode;
    heapIntervalBytes?: number;
    windowSec?: number;
    sourceMap?: string[];
    view?: View;
}

/** `capabilities.experimental.rsprof` of the client. */
export interface ClientCapability {
    annotations: boolean;
}

/** `capabilities.experimental.rsprof` of the server. */
export interface ServerCapability {
    protocol: number;
}

export interface ListProcessesParams {
    all?: boolean;
}

export interface ProcessItem {
    pid: number;
    name: string;
    exe: string;
    command: string;
    user: string;
    uptimeSec: number;
    cpuCores: number;
    rust: boolean;
    debugInfo: DebugInfo;
    workspace: boolean;
    attachable: boolean;
    reason?: string;
}

export interface ListProcessesResult {
    processes: ProcessItem[];
}

export interface AttachParams {
    pid: number;
    cpuFreqHz?: number;
    heap?: HeapMode;
    heapIntervalBytes?: number;
    windowSec?: number;
}

export interface AttachResult {
    pid: number;
    exe: string;
}

export interface LineCpu {
    self: number;
    total: number;
    samples: number;
}

export interface LineHeap {
    selfLiveBytes: number;
    liveBytes: number;
    liveBlocks: number;
    allocBytesPerSec: number;
    allocsPerSec: number;
    relStdErr: number;
}

export interface AnnotatedLine {
    line: number;
    heat: number;
    label: string;
    cpu: LineCpu;
    heap: LineHeap;
}

export interface AnnotationsParams {
    uri: string;
    version: number;
    stale: boolean;
    lines: AnnotatedLine[];
}

export interface HotLinesParams {
    metric?: 'cpu' | 'heap';
    limit?: number;
}

export interface HotLine extends AnnotatedLine {
    uri: string;
    function: string;
}

export interface HotLinesResult {
    lines: HotLine[];
}

export interface LineDetailsParams {
    uri: string;
    line: number;
}

export interface LineCpuDetails extends LineCpu {
    cores: number;
    kernelShare: number;
}

export interface Relation {
    function: string;
    uri?: string;
    line?: number;
    share: number;
}

export interface LineDetails {
    uri: string;
    line: number;
    function: string;
    heat: number;
    label: string;
    cpu: LineCpuDetails;
    heap: LineHeap;
    callers: Relation[];
    callees: Relation[];
}

export interface StatusCpu {
    samples: number;
    lost: number;
    freqHz: number;
    stacksComplete: number;
    processCores: number;
}

export interface StatusHeap {
    mode: 'hook' | 'uprobe' | 'off';
    intervalBytes: number;
    samples: number;
    kernelSamples: number;
    liveBytes: number;
    liveBlocks: number;
    allocBytesPerSec: number;
    allocsPerSec: number;
    lost: number;
    processHeapBytes: number;
}

export interface StatusParams {
    state: SessionState;
    pid: number;
    exe: string;
    cpu: StatusCpu;
    heap: StatusHeap;
    overhead: { fraction: number };
    symbols: { firstAnnotationMs: number; modules: number };
    hints: string[];
}

/** Requests of the client: method to parameters and result. */
export interface Requests {
    'rsprof/listProcesses': { params: ListProcessesParams; result: ListProcessesResult };
    'rsprof/attach': { params: AttachParams; result: AttachResult };
    'rsprof/detach': { params: Record<string, never>; result: null };
    'rsprof/reset': { params: Record<string, never>; result: null };
    'rsprof/setView': { params: Partial<View>; result: null };
    'rsprof/hotLines': { params: HotLinesParams; result: HotLinesResult };
    'rsprof/lineDetails': { params: LineDetailsParams; result: LineDetails | null };
}

/** Notifications of the server: method to parameters. */
export interface Notifications {
    'rsprof/annotations': AnnotationsParams;
    'rsprof/status': StatusParams;
}

export const ErrorCode = {
    ParseError: -32700,
    InvalidRequest: -32600,
    MethodNotFound: -32601,
    InvalidParams: -32602,
    InternalError: -32603,
    ServerNotInitialized: -32002,
    NoSuchProcess: 1001,
    PermissionDenied: 1002,
    NotRust: 1003,
    NoDebugInfo: 1004,
    NotAttached: 1005,
    Unsupported: 1006,
    Busy: 1007,
} as const;

/** `data` of an error. */
export interface ErrorData {
    hint?: string;
}
