import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnnotationModel } from '../../../editors/vscode/src/annotation_model';
import type { AnnotatedLine } from '../../../editors/vscode/src/protocol';

const CONTEXT = { metric: 'both', processLiveBytes: 100 } as const;
const BREAK_AT_2 = { startLine: 2, startCharacter: 0, endLine: 2, endCharacter: 0, addedBreaks: 1 };

function line(number: number, heat = 0.5, self = 0.5): AnnotatedLine {
    return {
        line: number,
        heat,
        label: `${self}`,
        cpu: { self, total: self, samples: 1 },
        heap: { selfLiveBytes: 0, liveBytes: 0, liveBlocks: 0, allocBytesPerSec: 0, allocsPerSec: 0, relStdErr: 0 },
    };
}

function lines(model: AnnotationModel): number[] {
    return model.marks.map((mark) => mark.line);
}

test('what the server sends replaces what it sent before', () => {
    const model = new AnnotationModel();
    model.replace({ uri: 'u', version: 1, stale: false, lines: [line(3), line(8)] }, CONTEXT);
    model.replace({ uri: 'u', version: 1, stale: true, lines: [line(4)] }, CONTEXT);
    assert.deepEqual(lines(model), [4]);
    assert.equal(model.stale, true);
});

test('an update that looks the same is told from one that does not', () => {
    const model = new AnnotationModel();
    const update = { uri: 'u', version: 1, stale: false, lines: [line(3, 0.5, 0.5)] };
    assert.equal(model.replace(update, CONTEXT), true);
    assert.equal(model.replace(structuredClone(update), CONTEXT), false);
    assert.equal(model.replace({ ...update, stale: true }, CONTEXT), true);
    assert.equal(model.replace({ ...update, lines: [] }, CONTEXT), true);
});

test('edits that the server has not seen yet are applied to what it sends', () => {
    const model = new AnnotationModel();
    model.edit(2, BREAK_AT_2);
    model.replace({ uri: 'u', version: 1, stale: false, lines: [line(1), line(3)] }, CONTEXT);
    assert.deepEqual(lines(model), [1, 4]);
});

test('edits that the server has seen are not applied again', () => {
    const model = new AnnotationModel();
    model.edit(2, BREAK_AT_2);
    model.replace({ uri: 'u', version: 2, stale: false, lines: [line(4)] }, CONTEXT);
    assert.deepEqual(lines(model), [4]);
    model.edit(3, BREAK_AT_2);
    assert.deepEqual(lines(model), [5]);
});

test('the trend of a line outlives updates and edits', () => {
    const model = new AnnotationModel();
    model.replace({ uri: 'u', version: 1, stale: false, lines: [line(3, 0.5, 0.1)] }, CONTEXT);
    model.tick();
    model.edit(2, BREAK_AT_2);
    model.replace({ uri: 'u', version: 2, stale: false, lines: [line(4, 0.5, 0.8)] }, CONTEXT);
    model.tick();
    assert.equal(model.markAt(4)?.trend.cpuBars(), '▁▇');
});

test('two lines that an edit joins leave one annotation', () => {
    const model = new AnnotationModel();
    model.replace({ uri: 'u', version: 1, stale: false, lines: [line(3), line(4)] }, CONTEXT);
    model.edit(2, { startLine: 3, startCharacter: 5, endLine: 4, endCharacter: 0, addedBreaks: 0 });
    assert.deepEqual(lines(model), [3]);
});
