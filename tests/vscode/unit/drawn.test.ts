import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drawn } from '../../../editors/vscode/src/drawn';

const A = { line: 3, text: '10.0%', gap: 3 };
const BREAK_ABOVE = { startLine: 1, startCharacter: 0, endLine: 1, endCharacter: 0, addedBreaks: 1 };
const BREAK_BEHIND = { startLine: 3, startCharacter: 9, endLine: 3, endCharacter: 9, addedBreaks: 1 };

test('lines that are on the screen already are not drawn again', () => {
    const drawn = new Drawn<string>();
    assert.equal(drawn.update('hot', []), false);
    assert.equal(drawn.update('hot', [A]), true);
    assert.equal(drawn.update('hot', [{ ...A }]), false);
    assert.equal(drawn.update('hot', [{ ...A, text: '10.1%' }]), true);
    assert.equal(drawn.update('hot', []), true);
});

test('an edit above moves marks that need no drawing', () => {
    const drawn = new Drawn<string>();
    drawn.update('hot', [A]);
    assert.equal(drawn.edit(BREAK_ABOVE), false);
    assert.equal(drawn.update('hot', [{ ...A, line: 4 }]), false);
});

test('an edit at a mark has its look drawn again, once', () => {
    const drawn = new Drawn<string>();
    drawn.update('hot', [A]);
    drawn.update('mild', [{ ...A, line: 7 }]);
    assert.equal(drawn.edit(BREAK_BEHIND), true);
    assert.equal(drawn.update('hot', [A]), true);
    assert.equal(drawn.update('hot', [A]), false);
    assert.equal(drawn.update('mild', [{ ...A, line: 8 }]), false);
});
