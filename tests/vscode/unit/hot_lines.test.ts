import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileNodes, fileSums, mergedLines, sameLines } from '../../../editors/vscode/src/hot_lines';
import { neighbourLine } from '../../../editors/vscode/src/neighbour';
import type { HotLine } from '../../../editors/vscode/src/protocol';

function hot(uri: string, line: number, heat: number, label = ''): HotLine {
    return {
        uri, line, heat, label, function: 'f',
        cpu: { self: heat / 2, total: heat, samples: 1 },
        heap: { selfLiveBytes: 10, liveBytes: 10, liveBlocks: 1, allocBytesPerSec: 0, allocsPerSec: 0, relStdErr: 0 },
    };
}

test('the hottest by CPU and by heap make one list, each line once', () => {
    const merged = mergedLines([hot('a', 1, 1), hot('a', 2, 0.2)], [hot('b', 1, 0.9), hot('a', 1, 1)]);
    assert.deepEqual(merged.map(({ uri, line }) => `${uri}${line}`), ['a1', 'b1', 'a2']);
});

test('files come in the order of their hottest lines, with the sums of their lines', () => {
    const files = fileNodes([hot('b', 1, 1), hot('a', 1, 0.8), hot('b', 9, 0.4)]);
    assert.deepEqual(files.map(({ uri, lines }) => [uri, lines.length]), [['b', 2], ['a', 1]]);
    assert.ok(files[0]);
    assert.deepEqual(fileSums(files[0]), { cpu: 0.7, liveBytes: 20 });
});

test('a list looks the same while its labels do', () => {
    assert.equal(sameLines([hot('a', 1, 1, '5%')], [hot('a', 1, 0.9, '5%')]), true);
    assert.equal(sameLines([hot('a', 1, 1, '5%')], [hot('a', 1, 1, '6%')]), false);
    assert.equal(sameLines([hot('a', 1, 1)], []), false);
});

test('the next and the previous hot line go round the file', () => {
    assert.equal(neighbourLine([3, 7, 9], 7, 1), 9);
    assert.equal(neighbourLine([3, 7, 9], 9, 1), 3);
    assert.equal(neighbourLine([3, 7, 9], 5, -1), 3);
    assert.equal(neighbourLine([3, 7, 9], 3, -1), 9);
    assert.equal(neighbourLine([], 3, 1), undefined);
});
