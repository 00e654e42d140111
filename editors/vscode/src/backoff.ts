// When to start a crashed server again: after 0.5, 1, 2, 4, 8 s; never after five crashes within three minutes.

export const CRASHES_MAX = 5;
export const CRASH_PERIOD_MS = 180_000;
const FIRST_DELAY_MS = 500;

/** Delay before the next start, or undefined to give up. `crashes`: times of the crashes so far, in ms, the last one now. */
export function restartDelay(crashes: readonly number[]): number | undefined {
    const now = crashes.at(-1);
    if (now === undefined) {
        return 0;
    }
    const recent = crashes.filter((time) => now - time < CRASH_PERIOD_MS).length;
    return recent > CRASHES_MAX ? undefined : FIRST_DELAY_MS * 2 ** (recent - 1);
}
