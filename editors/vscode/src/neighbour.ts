// Which line of a file comes next.

/** The line after (`step` 1) or before (−1) `from`, going round at the ends; `lines` in order. */
export function neighbourLine(lines: readonly number[], from: number, step: 1 | -1): number | undefined {
    const beyond = lines.filter((line) => (step === 1 ? line > from : line < from));
    return step === 1 ? (beyond[0] ?? lines[0]) : (beyond.at(-1) ?? lines.at(-1));
}
