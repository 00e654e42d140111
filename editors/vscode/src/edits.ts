// How an edit of the text moves the lines that annotations sit on.

export interface Edit {
    startLine: number;
    startCharacter: number;
    endLine: number;
    endCharacter: number;
    /** Line breaks in the text that replaces the range. */
    addedBreaks: number;
}

export function changesLines(edit: Edit): boolean {
    return edit.addedBreaks > 0 || edit.endLine > edit.startLine;
}

interface Position {
    readonly line: number;
    readonly character: number;
}

/** A change as the editor tells it. */
export interface ContentChange {
    readonly range: { readonly start: Position; readonly end: Position };
    readonly text: string;
}

export function editOf({ range, text }: ContentChange): Edit {
    return {
        startLine: range.start.line,
        startCharacter: range.start.character,
        endLine: range.end.line,
        endCharacter: range.end.character,
        addedBreaks: text.match(/\r\n|\r|\n/g)?.length ?? 0,
    };
}

/** Where `line` is after `edit`; undefined when its text was deleted. */
export function shiftLine(line: number, edit: Edit): number | undefined {
    if (line < edit.startLine) {
        return line;
    }
    if (line > edit.endLine) {
        return line + edit.addedBreaks - (edit.endLine - edit.startLine);
    }
    if (edit.startLine === edit.endLine) {
        /* A break put in front of the line pushes it down; one inside it or after it leaves its first part in place. */
        return edit.startCharacter === 0 && edit.endCharacter === 0 ? line + edit.addedBreaks : line;
    }
    if (line === edit.startLine && edit.startCharacter > 0) {
        return line;
    }
    if (line === edit.endLine && edit.endCharacter === 0) {
        return edit.startLine + edit.addedBreaks;
    }
    return undefined;
}

/** Whether marks that an editor moves by itself may end up somewhere else than `shiftLine` says. */
export function disturbs(line: number, edit: Edit): boolean {
    return changesLines(edit) && line >= edit.startLine && line <= edit.endLine;
}
