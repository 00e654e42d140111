// The decoration types: one for each kind and level of heat, and one for files that no longer match the build.
import * as vscode from 'vscode';
import type { Mark } from './annotation_model';
import { KINDS, LEVELS, type Kind } from './heat';
import { GAP } from './layout';

export type LookName = string;

const STALE: LookName = 'stale';

export function lookOf(mark: Mark, stale: boolean): LookName {
    return stale ? STALE : `${mark.kind}Heat${mark.level}`;
}

/* Pixels. More than three would touch code in the first column; a double line needs all three. */
function barWidth(kind: Kind, level: number): number {
    return kind === 'heap' ? 3 : Math.min(3, level);
}

export class Looks implements vscode.Disposable {
    private readonly types = new Map<LookName, vscode.TextEditorDecorationType>();

    constructor(overviewRuler: boolean) {
        for (const kind of KINDS) {
            for (let level = 1; level <= LEVELS; level++) {
                this.add(`${kind}Heat${level}`, barWidth(kind, level), kind === 'cpu' ? 'solid' : 'double', {
                    ruler: overviewRuler && level > 1,
                    lane: kind === 'cpu' ? vscode.OverviewRulerLane.Left : vscode.OverviewRulerLane.Right,
                });
            }
        }
        this.add(STALE, 2, 'dotted', { ruler: false, lane: vscode.OverviewRulerLane.Left });
    }

    entries(): Iterable<[LookName, vscode.TextEditorDecorationType]> {
        return this.types;
    }

    dispose(): void {
        for (const type of this.types.values()) {
            type.dispose();
        }
    }

    /* Besides colour, width tells how hot a line is and style (solid or double) what it costs: for those who see no hues. */
    private add(
        name: LookName,
        width: number,
        borderStyle: string,
        marks: { ruler: boolean; lane: vscode.OverviewRulerLane },
    ): void {
        const color = new vscode.ThemeColor(`rsprof.${name}`);
        this.types.set(
            name,
            vscode.window.createTextEditorDecorationType({
                isWholeLine: true,
                rangeBehavior: vscode.DecorationRangeBehavior.ClosedOpen,
                borderStyle,
                borderColor: color,
                borderWidth: `0 0 0 ${width}px`,
                after: { color, margin: `0 0 0 ${GAP}ch`, fontStyle: name === STALE ? 'italic' : 'normal' },
                ...(marks.ruler ? { overviewRulerColor: color, overviewRulerLane: marks.lane } : {}),
            }),
        );
    }
}
