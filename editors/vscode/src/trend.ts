// The last half minute of one line, one value a second, and its picture in block characters.

const LENGTH = 30;
/* The taller ones look like a beam when values stay. */
const BARS = '▁▂▃▄▅▆';

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

/** One bar a value, between nothing and the largest; empty where there is nothing to see yet. */
export function bars(values: readonly number[]): string {
    const top = Math.max(0, ...values);
    if (top === 0 || values.length < 2) {
        return '';
    }
    return values.map((value) => BARS.charAt(Math.min(BARS.length - 1, Math.floor((value / top) * BARS.length)))).join('');
}
