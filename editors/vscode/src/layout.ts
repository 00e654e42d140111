// Where the text after a line starts, and what it is.

/** Columns between a line and its annotation, at least. */
export const GAP = 3;

/** Columns that `text` takes, tabs expanded. */
export function visualWidth(text: string, tabSize: number): number {
    let width = 0;
    for (const character of text) {
        width += character === '\t' ? tabSize - (width % tabSize) : 1;
    }
    return width;
}

/** Columns between the end of a line of `width` columns and its annotation. `column` 0: right after the line. */
export function annotationGap(width: number, column: number): number {
    return Math.max(GAP, column - width);
}

/** The label with spaces that neither fold nor break. The server gives its columns a steady width; they stay as they are. */
export function labelText(label: string): string {
    return label.replaceAll(' ', '\u00a0');
}
