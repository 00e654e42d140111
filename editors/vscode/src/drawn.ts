// What is on the screen of one editor, look by look: so that only looks whose lines changed are drawn again.
import { disturbs, shiftLine, type Edit } from './edits';

export interface DrawnLine {
    line: number;
    /** Empty: the bar only. */
    text: string;
    /** Columns between the line and the text. */
    gap: number;
}

function same(a: readonly DrawnLine[], b: readonly DrawnLine[]): boolean {
    return (
        a.length === b.length &&
        a.every(({ line, text, gap }, i) => {
            const other = b[i];
            return other?.line === line && other.text === text && other.gap === gap;
        })
    );
}

const NONE: readonly DrawnLine[] = [];

export class Drawn<Look> {
    private readonly lines = new Map<Look, readonly DrawnLine[]>();
    private readonly disturbed = new Set<Look>();

    /** Notes that `look` is to show `lines`. False: it does already, and nothing has to be drawn. */
    update(look: Look, lines: readonly DrawnLine[]): boolean {
        if (!this.disturbed.delete(look) && same(this.lines.get(look) ?? NONE, lines)) {
            return false;
        }
        this.lines.set(look, lines);
        return true;
    }

    /** Follows an edit, which the editor's own marks follow too. True when some of them may have ended up elsewhere. */
    edit(edit: Edit): boolean {
        for (const [look, lines] of this.lines) {
            if (lines.some(({ line }) => disturbs(line, edit))) {
                this.disturbed.add(look);
            }
            const moved: DrawnLine[] = [];
            for (const drawn of lines) {
                const line = shiftLine(drawn.line, edit);
                if (line !== undefined) {
                    moved.push(line === drawn.line ? drawn : { ...drawn, line });
                }
            }
            this.lines.set(look, moved);
        }
        return this.disturbed.size > 0;
    }
}
