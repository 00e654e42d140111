// Which of the few looks a line gets: a kind (what the line mostly costs) and a level (how hot). Both resist small changes, so
// that colours do not flicker while values move.
import type { AnnotatedLine, Metric } from './protocol';

export type Kind = 'cpu' | 'heap';
export const KINDS: readonly Kind[] = ['cpu', 'heap'];
/** Levels are 1 (faint) to LEVELS (hottest). */
export const LEVELS = 4;

const LEVEL_BOUNDS = [0.05, 0.25, 0.6] as const;
const LEVEL_HYSTERESIS = 0.03;
const KIND_HYSTERESIS = 0.05;

function plainLevel(heat: number): number {
    return 1 + LEVEL_BOUNDS.filter((bound) => heat >= bound).length;
}

/** Level of `heat` (0…1); it leaves `previous` only when the heat is clearly past the bound between them. */
export function heatLevel(heat: number, previous?: number): number {
    const level = plainLevel(heat);
    if (previous === undefined || level === previous) {
        return level;
    }
    return level > previous
        ? Math.max(previous, plainLevel(heat - LEVEL_HYSTERESIS))
        : Math.min(previous, plainLevel(heat + LEVEL_HYSTERESIS));
}

/** What the line mostly costs, as its share of the process's CPU time against its share of the live heap. */
export function lineKind(line: AnnotatedLine, metric: Metric, processLiveBytes: number, previous?: Kind): Kind {
    if (metric !== 'both') {
        return metric;
    }
    const heap = processLiveBytes > 0 ? line.heap.selfLiveBytes / processLiveBytes : 0;
    const lead = line.cpu.self - heap;
    const kept = previous === 'heap' ? heap : line.cpu.self;
    if (previous !== undefined && kept > 0 && Math.abs(lead) < KIND_HYSTERESIS) {
        return previous;
    }
    return lead >= 0 ? 'cpu' : 'heap';
}
