// The annotations of one document: what the server said last, on the lines where that text is now.
//
// The server's lines refer to a version of the document. Edits made since are kept until the server has seen them, and are
// applied to what it sends, so that annotations are on the right line while one types.
import { changesLines, shiftLine, type Edit } from './edits';
import { heatLevel, lineKind, type Kind } from './heat';
import type { AnnotatedLine, AnnotationsParams, Metric } from './protocol';
import { Trend } from './trend';

export interface Mark {
    /** Line in the document as it is now. */
    line: number;
    kind: Kind;
    level: number;
    source: AnnotatedLine;
    trend: Trend;
}

/** What decides a line's kind besides the line. */
export interface HeatContext {
    metric: Metric;
    processLiveBytes: number;
}

/* The server is never this far behind; a bound is needed all the same. */
const EDITS_MAX = 4096;

/* The mark of before with new numbers, where it looks the same; else a new one that goes on with its trend. */
function renewed(
    before: Mark | undefined,
    line: number,
    source: AnnotatedLine,
    context: HeatContext,
    keepsKind: boolean,
): Mark {
    const kind = lineKind(source, context.metric, context.processLiveBytes, keepsKind ? before?.kind : undefined);
    const level = heatLevel(source.heat, before?.level);
    if (before?.source.label === source.label && before.kind === kind && before.level === level) {
        before.source = source;
        return before;
    }
    return { line, kind, level, source, trend: before?.trend ?? new Trend() };
}

export class AnnotationModel {
    private marksByLine = new Map<number, Mark>();
    private edits: { version: number; edit: Edit }[] = [];
    private isStale = false;
    private metric: Metric | undefined;

    /** In line order. */
    get marks(): Mark[] {
        return [...this.marksByLine.values()];
    }

    get stale(): boolean {
        return this.isStale;
    }

    get empty(): boolean {
        return this.marksByLine.size === 0;
    }

    markAt(line: number): Mark | undefined {
        return this.marksByLine.get(line);
    }

    /** Takes what the server says; it replaces what it said before. False when it looks the same. */
    replace(params: AnnotationsParams, context: HeatContext): boolean {
        this.edits = this.edits.filter(({ version }) => version > params.version);
        const marks = new Map<number, Mark>();
        let changed = params.stale !== this.isStale;
        const keepsKinds = context.metric === this.metric;
        for (const source of params.lines) {
            const line = this.lineNow(source.line);
            if (line === undefined || marks.has(line)) {
                continue;
            }
            const before = this.marksByLine.get(line);
            const mark = renewed(before, line, source, context, keepsKinds);
            marks.set(line, mark);
            changed ||= mark !== before;
        }
        changed ||= marks.size !== this.marksByLine.size;
        this.marksByLine = marks;
        this.isStale = params.stale;
        this.metric = context.metric;
        return changed;
    }

    /** Moves the marks with an edit that made `version` of the document. */
    edit(version: number, edit: Edit): void {
        if (!changesLines(edit)) {
            return;
        }
        this.edits.push({ version, edit });
        if (this.edits.length > EDITS_MAX) {
            this.edits.shift();
        }
        const marks = new Map<number, Mark>();
        for (const mark of this.marksByLine.values()) {
            const line = shiftLine(mark.line, edit);
            if (line !== undefined && !marks.has(line)) {
                marks.set(line, { ...mark, line });
            }
        }
        this.marksByLine = marks;
    }

    clear(): void {
        this.marksByLine.clear();
        this.isStale = false;
    }

    /** Once a second: the values of now become part of the trends. */
    tick(): void {
        for (const { trend, source } of this.marksByLine.values()) {
            trend.push(source.cpu.self, source.heap.selfLiveBytes);
        }
    }

    private lineNow(line: number): number | undefined {
        if (this.edits.length === 0) {
            return line;
        }
        let now: number | undefined = line;
        for (const { edit } of this.edits) {
            if (now === undefined) {
                break;
            }
            now = shiftLine(now, edit);
        }
        return now;
    }
}
