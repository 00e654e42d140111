// The last half minute of one line, one value a second, and its picture in block characters.

const LENGTH = 30;
const BARS = '▁▂▃▄▅▆▇';
const STEADY_BAR = '▂';
/** Values within this part of the largest are the same to the eye. */
const STEADY = 0.1;

export class Trend {
    private readonly cpu: number[] = [];
    private readonly heap: number[] = [];

    push(cpu: number, heap: number): void {
        this.cpu.push(cpu);
        this.heap.push(heap);
        if (this.cpu.length > LENGTH) {
            this.cpu.shift();
            this.heap.shift();
        }
    }

    cpuBars(): string {
        return bars(this.cpu);
    }

    heapBars(): string {
        return bars(this.heap);
    }
}

/**
 * One bar a value; empty where there is nothing to see yet. Bars stand on nothing, or on the smallest value where that leaves
 * too little to see; values that hardly change make a low, even line.
 */
export function bars(values: readonly number[]): string {
    const top = Math.max(0, ...values);
    if (top === 0 || values.length < 2) {
        return '';
    }
    const low = Math.min(...values);
    if (top - low < STEADY * top) {
        return STEADY_BAR.repeat(values.length);
    }
    const base = low > top / 2 ? low : 0;
    const height = (value: number): number => Math.floor(((value - base) / (top - base)) * BARS.length);
    return values.map((value) => BARS.charAt(Math.min(BARS.length - 1, height(value)))).join('');
}
