import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heatLevel, lineKind } from '../../../editors/vscode/src/heat';

const HEAP = { selfLiveBytes: 30, liveBytes: 30, liveBlocks: 1, allocBytesPerSec: 0, allocsPerSec: 0, relStdErr: 0 };

function line(self: number): Parameters<typeof lineKind>[0] {
    return { line: 1, heat: 1, label: '', cpu: { self, total: self, samples: 1 }, heap: HEAP };
}

test('heat maps to levels 1 to 4', () => {
    assert.deepEqual([0, 0.05, 0.25, 0.6, 1].map((heat) => heatLevel(heat)), [1, 2, 3, 4, 4]);
});

test('a level changes only when the heat is clearly past the bound', () => {
    assert.equal(heatLevel(0.26, 2), 2);
    assert.equal(heatLevel(0.29, 2), 3);
    assert.equal(heatLevel(0.24, 3), 3);
    assert.equal(heatLevel(0.21, 3), 2);
});

test('a leap crosses several levels at once', () => {
    assert.equal(heatLevel(1, 1), 4);
    assert.equal(heatLevel(0, 4), 1);
});

test('a line is of the kind that it mostly costs', () => {
    assert.equal(lineKind(line(0.5), 'both', 100), 'cpu');
    assert.equal(lineKind(line(0.1), 'both', 100), 'heap');
    assert.equal(lineKind(line(0.1), 'cpu', 100), 'cpu');
    assert.equal(lineKind(line(0.5), 'heap', 100), 'heap');
    assert.equal(lineKind(line(0.1), 'both', 0), 'cpu');
});

test('near the balance a line keeps its kind', () => {
    assert.equal(lineKind(line(0.32), 'both', 100, 'heap'), 'heap');
    assert.equal(lineKind(line(0.28), 'both', 100, 'cpu'), 'cpu');
});

test('a line never keeps a kind that it does not cost', () => {
    const cpuOnly = { ...line(0.02), heap: { ...HEAP, selfLiveBytes: 0 } };
    assert.equal(lineKind(cpuOnly, 'both', 100, 'heap'), 'cpu');
});
