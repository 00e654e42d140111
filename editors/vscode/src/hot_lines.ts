// Hot lines as the tree shows them: singly, or under their files.
import type { HotLine } from './protocol';

export interface LineNode {
    kind: 'line';
    line: HotLine;
}

export interface FileNode {
    kind: 'file';
    uri: string;
    lines: HotLine[];
}

export type HotNode = LineNode | FileNode;

export type Grouping = 'line' | 'file';

export function lineNodes(lines: readonly HotLine[]): LineNode[] {
    return lines.map((line) => ({ kind: 'line', line }));
}

/** Two answers as one list: each line once, hottest first. */
export function mergedLines(a: readonly HotLine[], b: readonly HotLine[]): HotLine[] {
    const lines = new Map([...a, ...b].map((line) => [`${line.uri}#${line.line}`, line]));
    return [...lines.values()].sort((x, y) => y.heat - x.heat);
}

/** Files in the order of their hottest lines. */
export function fileNodes(lines: readonly HotLine[]): FileNode[] {
    const files = new Map<string, FileNode>();
    for (const line of lines) {
        const node = files.get(line.uri);
        if (node === undefined) {
            files.set(line.uri, { kind: 'file', uri: line.uri, lines: [line] });
        } else {
            node.lines.push(line);
        }
    }
    return [...files.values()];
}

/** CPU and heap of a file: the sums of its lines' own. */
export function fileSums(node: FileNode): { cpu: number; liveBytes: number } {
    return node.lines.reduce(
        (sums, { cpu, heap }) => ({ cpu: sums.cpu + cpu.self, liveBytes: sums.liveBytes + heap.selfLiveBytes }),
        { cpu: 0, liveBytes: 0 },
    );
}

/** Whether two answers look the same in the tree. */
export function sameLines(a: readonly HotLine[], b: readonly HotLine[]): boolean {
    return (
        a.length === b.length &&
        a.every((line, i) => {
            const other = b[i];
            return (
                other?.uri === line.uri &&
                other.line === line.line &&
                other.label === line.label &&
                other.function === line.function
            );
        })
    );
}
