import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesLines, disturbs, editOf, shiftLine, type Edit } from '../../../editors/vscode/src/edits';

function edit(start: [number, number], end: [number, number], addedBreaks: number): Edit {
    return { startLine: start[0], startCharacter: start[1], endLine: end[0], endCharacter: end[1], addedBreaks };
}

test('typing within a line moves nothing', () => {
    const typed = edit([5, 8], [5, 8], 0);
    assert.equal(changesLines(typed), false);
    assert.deepEqual([4, 5, 6].map((line) => shiftLine(line, typed)), [4, 5, 6]);
});

test('a break at the start of a line pushes it down', () => {
    assert.deepEqual([4, 5, 6].map((line) => shiftLine(line, edit([5, 0], [5, 0], 2))), [4, 7, 8]);
});

test('a break inside a line or at its end leaves the line', () => {
    assert.deepEqual([5, 6].map((line) => shiftLine(line, edit([5, 12], [5, 12], 1))), [5, 7]);
});

test('deleted lines lose their annotation, those below move up', () => {
    const deleted = edit([3, 0], [6, 0], 0);
    assert.deepEqual([2, 3, 4, 5, 6, 7].map((line) => shiftLine(line, deleted)), [2, undefined, undefined, undefined, 3, 4]);
});

test('a deletion that begins inside a line keeps that line and drops what is joined to it', () => {
    const joined = edit([3, 10], [4, 8], 0);
    assert.deepEqual([3, 4, 5].map((line) => shiftLine(line, joined)), [3, undefined, 4]);
});

test('replacing lines by others drops them', () => {
    assert.deepEqual([3, 4, 5].map((line) => shiftLine(line, edit([3, 0], [5, 0], 4))), [undefined, undefined, 7]);
});

test('line breaks of every kind are counted', () => {
    const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } };
    assert.equal(editOf({ range, text: 'a\r\nb\nc\rd' }).addedBreaks, 3);
    assert.equal(editOf({ range, text: 'no break' }).addedBreaks, 0);
});

test('only edits that touch a line can misplace its mark', () => {
    assert.equal(disturbs(9, edit([5, 0], [5, 0], 1)), false);
    assert.equal(disturbs(5, edit([5, 20], [5, 20], 1)), true);
    assert.equal(disturbs(5, edit([5, 20], [5, 20], 0)), false);
});
