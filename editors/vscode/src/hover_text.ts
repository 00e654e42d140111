// The details of a line as Markdown.
import type { LineDetails, Relation } from './protocol';
import { formatBytes, formatCores, formatCount, formatShare } from './units';

export interface LineTrends {
    cpu: string;
    heap: string;
}

/** Function names hold characters that Markdown reads as marks. */
export function escapeMarkdown(text: string): string {
    return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&]/g, '\\$&');
}

/* Links end at a parenthesis. */
function linkTarget(uri: string, line: number): string {
    return `${uri.replaceAll('(', '%28').replaceAll(')', '%29')}#L${line + 1}`;
}

function relationText(relation: Relation): string {
    const name = escapeMarkdown(relation.function);
    const linked =
        relation.uri === undefined || relation.line === undefined
            ? name
            : `[${name}](${linkTarget(relation.uri, relation.line)})`;
    return `${formatShare(relation.share)} ${linked}`;
}

function relations(title: string, list: readonly Relation[]): string[] {
    return list.length === 0 ? [] : [`${title}: ${list.map(relationText).join(' · ')}`];
}

function withTrend(text: string, bars: string, color: string): string {
    return bars === '' ? text : `${text} &nbsp; <span style="color:var(--vscode-rsprof-${color});">${bars}</span>`;
}

function cpuText(details: LineDetails): string[] {
    const { cpu } = details;
    if (cpu.samples === 0) {
        return [];
    }
    const kernel = cpu.kernelShare > 0 ? `, ${formatShare(cpu.kernelShare)} of it in the kernel` : '';
    return [
        `**CPU** ${formatShare(cpu.self)} self, ${formatShare(cpu.total)} total` +
            ` (${formatCores(cpu.cores)} cores${kernel}; ${formatCount(cpu.samples)} samples)`,
    ];
}

function heapText(details: LineDetails): string[] {
    const { heap } = details;
    if (heap.liveBytes === 0 && heap.selfLiveBytes === 0 && heap.allocsPerSec === 0) {
        return [];
    }
    const error = heap.relStdErr > 0 ? ` ± ${formatShare(heap.relStdErr)}` : '';
    const total = heap.liveBytes > heap.selfLiveBytes ? `, ${formatBytes(heap.liveBytes)} with all it calls` : '';
    return [
        `**Heap** ${formatBytes(heap.selfLiveBytes)}${error} live${total}, in ${formatCount(heap.liveBlocks)} blocks` +
            ` (allocates ${formatBytes(heap.allocBytesPerSec)}/s, ${formatCount(heap.allocsPerSec)} blocks/s)`,
    ];
}

/** Markdown with HTML for colour; what came from elsewhere is escaped. */
export function hoverMarkdown(details: LineDetails, trends: LineTrends, stale: boolean): string {
    const [cpu] = cpuText(details);
    const [heap] = heapText(details);
    return [
        escapeMarkdown(details.function),
        ...(cpu === undefined ? [] : [withTrend(cpu, trends.cpu, 'cpuHeat3')]),
        ...(heap === undefined ? [] : [withTrend(heap, trends.heap, 'heapHeat3')]),
        ...relations('Called from', details.callers),
        ...relations('Calls', details.callees),
        ...(stale ? ['*This file has changed since the process was built: numbers may be on the wrong lines.*'] : []),
    ].join('\n\n');
}
