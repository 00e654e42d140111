// The status as the status bar item shows it, short, and as its tooltip does, in full.
import type { StatusParams } from './protocol';
import { formatBytes, formatCores, formatCount, formatShare, padNumber } from './units';

export function processName(status: StatusParams): string {
    const name = status.exe.replace(/ \(deleted\)$/, '').split('/').at(-1) ?? '';
    return name === '' ? `pid ${status.pid}` : name;
}

/** `icon` is a codicon. Widths are steady while values move, so that the items beside it stay where they are. */
export function statusBarText(status: StatusParams): string {
    switch (status.state) {
        case 'detached':
            return '$(pulse) rsprof';
        case 'attaching':
            return '$(loading~spin) rsprof: attaching';
        case 'lost':
            return `$(circle-slash) ${processName(status)} ended`;
        case 'running': {
            const cores = padNumber(formatCores(status.cpu.processCores), 5);
            const heap = status.heap.mode === 'off' ? [] : [padNumber(formatBytes(status.heap.liveBytes), 9)];
            const warning = status.hints.length > 0 ? ' $(info)' : '';
            return ['$(pulse)', processName(status), cores, 'cores', ...heap].join(' ') + warning;
        }
    }
}

function heapLines(status: StatusParams): string[] {
    const { heap } = status;
    if (heap.mode === 'off') {
        return ['Heap: not tracked'];
    }
    const interval = heap.intervalBytes > 0 ? `, about one sample every ${formatBytes(heap.intervalBytes)}` : ', every allocation';
    return [
        `Heap since attach: ${formatBytes(heap.liveBytes)} live in ${formatCount(heap.liveBlocks)} blocks` +
            ` (the process holds ${formatBytes(heap.processHeapBytes)})`,
        `Allocations: ${formatCount(heap.allocsPerSec)}/s, ${formatBytes(heap.allocBytesPerSec)}/s`,
        `Heap mode: ${heap.mode}${interval}`,
        ...(heap.lost > 0 ? [`Heap events lost: ${formatCount(heap.lost)}`] : []),
    ];
}

/** Plain sentences, one a line. */
export function statusLines(status: StatusParams): string[] {
    if (status.state === 'detached') {
        return ['Nothing is attached. Click to attach to a running Rust process.'];
    }
    const { cpu } = status;
    return [
        `${processName(status)} (pid ${status.pid}): ${status.state === 'lost' ? 'ended' : status.state}`,
        status.exe,
        `CPU: ${formatCores(cpu.processCores)} cores, ${formatCount(cpu.samples)} samples at ${cpu.freqHz} Hz,` +
            ` ${formatShare(cpu.stacksComplete)} of the stacks complete`,
        ...(cpu.lost > 0 ? [`CPU samples lost: ${formatCount(cpu.lost)}`] : []),
        ...heapLines(status),
        `Overhead of rsprof: ${formatShare(status.overhead.fraction)}`,
        ...status.hints.map((hint) => `Hint: ${hint}`),
    ];
}
